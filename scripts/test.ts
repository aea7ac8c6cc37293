/**
 * `npm test`: brings what the tests need, then runs them all. Arguments go on to vitest.
 *
 * With `CI=true` nothing may be skipped: a missing Chromium or Redis and a skipped test fail the run. Elsewhere
 * the tests that need them are left out, with a line that says so, when they cannot be had.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { findImports, listFiles, readSource } from '../test/helpers/sources.ts'
import { bringChromium } from './chromium.ts'
import { bringRedis } from './redis.ts'

const report = '.artifacts/tests.json'
/** How far each real client came; their test writes it. */
const clientReport = '.artifacts/real-clients.txt'
const isCi = process.env.CI === 'true'

/** The part of vitest's JSON report that is read here. */
interface Report {
  numPassedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { name: string; assertionResults: { status: string; fullName: string }[] }[]
}

function findSkipped({ testResults }: Report): string[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => fullName),
  )
}

/** What is wrong with a run in which no test failed; undefined when nothing is. */
function findFault(): string | undefined {
  const result = JSON.parse(readFileSync(report, 'utf8')) as Report
  if (result.numPassedTests === 0) return 'no test ran'
  const skipped = findSkipped(result)
  if (skipped.length === 0) return undefined
  return `with CI=true nothing may be skipped, but these tests were:\n  ${skipped.join('\n  ')}`
}

/** Test files that open a browser: those called so, and those that import playwright. */
function findBrowserTests(): string[] {
  const browser = /^(playwright-core|@axe-core\/playwright)$|\/chromium\.ts$/
  return listFiles('test')
    .filter((path) => path.endsWith('.test.ts'))
    .filter(
      (path) =>
        path.endsWith('.browser.test.ts') ||
        findImports(readSource(path)).some((name) => browser.test(name)),
    )
}

/** Says what is missing and which tests are left out for it; with `CI=true` that is the end. */
function reportMissing(name: string, aptPackage: string, tests: string): void {
  const wanted = `${name} is missing; install it (Debian, Ubuntu: apt-get install ${aptPackage})`
  console.error(`gatehouse: ${wanted}${isCi ? '' : `. Skipping ${tests}`}`)
  if (isCi) process.exit(1)
}

const chromium = bringChromium()
if (!chromium) {
  reportMissing('Chromium', 'chromium', 'the browser tests:')
  for (const path of findBrowserTests()) console.warn(`  ${path}`)
}
const redis = bringRedis()
if (!redis) reportMissing('Redis', 'redis-server', 'the tests of the Redis store')

mkdirSync('.artifacts', { recursive: true })
rmSync(report, { force: true })
rmSync(clientReport, { force: true })
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const left = chromium ? [] : findBrowserTests().map((path) => `--exclude=${path}`)
const vitestFile = 'node_modules/vitest/vitest.mjs'
const args = [vitestFile, 'run', ...reporters, ...left, ...process.argv.slice(2)]
const programs = { ...(chromium && { CHROMIUM: chromium }), ...(redis && { REDIS_SERVER: redis }) }
const env = { ...process.env, ...programs }

/** How long vitest may take to end once its report is written. */
const endingSeconds = 30

/** Runs vitest; resolves with its exit code, also when a test left something behind that keeps it alive. */
function runVitest(): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env })
  let reportedAt: number | undefined
  const watch = setInterval(() => {
    if (existsSync(report)) reportedAt ??= performance.now()
    if (reportedAt === undefined || performance.now() - reportedAt < endingSeconds * 1000) return
    console.error('gatehouse: a test left a process or connection open, and vitest does not end')
    child.kill('SIGKILL')
  }, 1000)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      clearInterval(watch)
      resolve(code ?? 1)
    })
  })
}

const status = await runVitest()
if (existsSync(clientReport)) console.log(readFileSync(clientReport, 'utf8'))
const fault = isCi && status === 0 ? findFault() : undefined
if (fault) console.error(`gatehouse: ${fault}`)
process.exit(fault ? 1 : status)
