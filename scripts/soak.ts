/**
 * `npm run soak -- [--store URL] [--registrations 1000000] [--cycles 1000000]`: months of use on a moved clock.
 *
 * The store must be empty; default is a SQLite file in a folder that goes away. Prints one table: the rows
 * that should be alive and those that are, the memory after half and after all of it and, of SQLite, the
 * size of the file then and after everything has expired. The exit code is 1 when rows are more than a
 * tenth off.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openStore, parseStoreUrl, renderStore } from '../src/operate/config/store.ts'
import { testClock } from '../test/helpers/gatehouse.ts'
import { countRows, soak, sweepAll } from '../test/simulation/soak.ts'

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    registrations: { type: 'string', default: '1000000' },
    cycles: { type: 'string', default: '1000000' },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-soak-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const url = values.store ?? `sqlite:${join(folder, 'gatehouse.db')}`
const parsed = parseStoreUrl({ url })
if ('problem' in parsed) {
  console.error(`--store ${parsed.problem}`)
  process.exit(2)
}
const { store: settings } = parsed

/** The size of the file, where there is one. */
function readSize(): string {
  if (settings.driver !== 'sqlite') return '-'
  return toMebibytes(statSync(settings.path).size)
}

function toMebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

const clock = testClock()
const store = await openStore(settings, { clock })
if ((await countRows(store)) > 0) {
  console.error('The store is not empty; a soak would make a mess of it')
  process.exit(2)
}
const startedAt = performance.now()
const report = await soak({
  store,
  clock,
  registrations: Number(values.registrations),
  cycles: Number(values.cycles),
  onProgress(share) {
    const seconds = (performance.now() - startedAt) / 1000
    const left = (seconds / share) * (1 - share)
    const line = `${Math.round(share * 100)} %, ${seconds.toFixed(0)} s, ${left.toFixed(0)} s left`
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
    else if (Math.round(share * 100) % 10 === 0) console.error(line)
  },
})
const sizeAlive = readSize()
clock.advance(400 * 86_400)
for (let round = 0; round < 100; round++) await sweepAll(store)
const rowsLeft = await countRows(store)
await store.close()

const rows: [string, string][] = [
  ['store', renderStore(settings)],
  ['registrations, cycles', `${values.registrations}, ${values.cycles}`],
  ['seconds', ((performance.now() - startedAt) / 1000).toFixed(0)],
  ['rows that should be alive', report.expectedRows.toFixed(0)],
  ['rows alive', `${report.liveRows}`],
  ['most rows', `${report.mostRows}`],
  ['memory after half', toMebibytes(report.memory.half)],
  ['memory at the end', toMebibytes(report.memory.end)],
  ['file', sizeAlive],
  ['rows once all has expired', `${rowsLeft}`],
  ['file once all has expired', readSize()],
]
console.log(rows.map(([name, value]) => `${name.padEnd(28)}${value}`).join('\n'))
const isRight = Math.abs(report.liveRows / report.expectedRows - 1) <= 0.1
process.exit(isRight ? 0 : 1)
