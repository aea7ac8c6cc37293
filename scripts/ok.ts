/**
 * `npm run ok`: the one gate. Types, lint, format, docs, unused code, build, package and tests.
 *
 * One line per step with its time; the whole output of a step that failed. `--tests-ran` leaves out the
 * tests, for a caller that ran them just before (`.ci/run`). The counts go to `.artifacts/ok.json`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'

/** One thing that must hold. */
interface Step {
  readonly name: string
  /** A JavaScript or TypeScript file and its arguments, run by the running Node. */
  readonly run: readonly string[]
}

const pack = '.artifacts/package.tgz'

const steps: Step[] = [
  { name: 'types', run: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'lint', run: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'] },
  {
    name: 'format',
    run: ['node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=none'],
  },
  { name: 'docs in sync', run: ['scripts/generate-docs.ts', '--check'] },
  { name: 'no unused code', run: ['node_modules/knip/bin/knip.js'] },
  { name: 'build', run: ['scripts/build.ts'] },
  { name: 'pack', run: ['scripts/pack.ts', pack] },
  { name: 'package', run: ['node_modules/publint/src/cli.js', '--strict', pack] },
  {
    name: 'package types',
    run: ['node_modules/@arethetypeswrong/cli/dist/index.js', '--profile', 'esm-only', pack],
  },
  { name: 'package runs', run: ['scripts/try-package.ts', pack] },
  { name: 'tests', run: ['scripts/test.ts'] },
]

/** Runs a step, prints its line, and returns whether it passed. */
function runStep({ name, run }: Step): boolean {
  const start = performance.now()
  const child = spawnSync(process.execPath, run, { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const passed = child.status === 0
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name.padEnd(16)}${seconds.padStart(6)} s`)
  if (!passed) console.log(`${child.stdout}${child.stderr}`)
  return passed
}

mkdirSync('.artifacts', { recursive: true })
rmSync('.artifacts/ok.json', { force: true })
const testsRan = process.argv.includes('--tests-ran')
const wanted = steps.filter(({ name }) => !(testsRan && name === 'tests'))
const passed = wanted.map(runStep).filter(Boolean).length
const failed = wanted.length - passed
// What runs from a checkout must run its sources, not the build of a while ago.
rmSync('dist', { recursive: true, force: true })
writeFileSync('.artifacts/ok.json', JSON.stringify({ passed, failed }))
console.log(`${passed} steps passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
