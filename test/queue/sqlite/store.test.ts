import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe } from 'vitest'
import { openSqliteQueue } from '../../../src/queue/sqlite/store.ts'
import { testQueueStore } from '../../support/queue-store/conformance.ts'

const home = mkdtempSync(path.join(tmpdir(), 'mxpress-queue-'))
let count = 0

afterAll(() => rmSync(home, { recursive: true }))

describe('the SQLite store', () => {
  testQueueStore(() => openSqliteQueue(path.join(home, String(count++)), { role: 'daemon' }))
})
