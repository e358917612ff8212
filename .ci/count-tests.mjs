// Prints `N passed, N failed, N skipped` from vitest's JSON report, and fails where a test failed or none ran.
// A file that could not be loaded has no tests in the report and counts as one failure.
import { readFileSync } from 'node:fs'

const files = report(process.argv[2])
const tests = files.flatMap((file) => file.assertionResults)
const broken = files.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed))
const passed = tests.filter((test) => test.status === 'passed').length
const failed = tests.filter(isFailed).length + broken.length
const skipped = tests.length - passed - tests.filter(isFailed).length

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

function report(path) {
  const text = readFileSync(path, 'utf8')
  return text === '' ? [] : JSON.parse(text).testResults
}

function isFailed(test) {
  return test.status === 'failed'
}
