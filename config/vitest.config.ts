import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Where to leave a JSON report beside the one on the terminal; `.ci/run` counts the tests in it. */
const reportFile = process.env.TEST_REPORT_FILE

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    reporters: reportFile === undefined ? ['default'] : ['default', ['json', { outputFile: reportFile }]],
    // Deadlock guard, not a performance assertion: the machines that run this are shared and slow.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
