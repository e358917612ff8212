import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    // Deadlock guard, not a performance assertion: the machines that run this are shared and slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
