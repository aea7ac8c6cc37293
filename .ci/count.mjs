/**
 * Prints `N passed, N failed` over the tests and the steps of the gate, and fails when anything did:
 * also when a part left no report, when no test ran, and when a part failed without a failed test.
 * Its argument is 0 when every part ended well.
 */
import { readFileSync } from 'node:fs'

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

const tests = read('.artifacts/tests.json')
const gate = read('.artifacts/ok.json')
const passed = (tests?.numPassedTests ?? 0) + (gate?.passed ?? 0)
let failed = (tests?.numFailedTests ?? 1) + (gate?.failed ?? 1)
if (tests?.numPassedTests === 0) failed += 1
if (failed === 0 && process.argv[2] !== '0') failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
