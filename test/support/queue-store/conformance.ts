/**
 * What every queue store must do. Call it inside a test file with a way to open an empty store; it is closed after each
 * test. Durability is not proved here: each store has crash tests of its own.
 */
import type { QueueStore } from '../../../src/queue/store.ts'
import { testAdding } from './adding.ts'
import { testCatchingUp } from './catching-up.ts'
import { testClosing } from './closing.ts'
import { testDue } from './due.ts'
import { testLeasing } from './leasing.ts'
import { testLooking } from './looking.ts'
import { testLostLeases } from './lost-leases.ts'
import { testSettling } from './settling.ts'
import { testSites } from './sites.ts'
import { testSteering } from './steering.ts'
import { openForEachTest } from './store-under-test.ts'

/** Registers the tests. */
export function testQueueStore(openStore: () => Promise<QueueStore>): void {
  const subject = openForEachTest(openStore)
  testAdding(subject)
  testLeasing(subject)
  testSettling(subject)
  testLostLeases(subject)
  testCatchingUp(subject)
  testSites(subject)
  testDue(subject)
  testLooking(subject)
  testSteering(subject)
  testClosing(subject)
}
