import { describe } from 'vitest'
import { MemoryQueueStore } from '../support/memory-queue-store.ts'
import { testQueueStore } from '../support/queue-store/conformance.ts'

describe('the store in memory', () => {
  testQueueStore(async () => new MemoryQueueStore())
})
