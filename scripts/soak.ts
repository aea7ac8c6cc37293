/**
 * `npm run soak -- [--driver sqlite] [--registrations 1000000] [--cycles 1000000]`: months of use on a moved
 * clock, over a store that goes away.
 *
 * `--driver` is `sqlite`, `postgres`, `redis` or `memory`. Prints one table: rows, room in the store and memory
 * of this process, as they should be and as they are. The exit code is 1 when something is more than a tenth
 * off, which is then named.
 */
import { parseArgs } from 'node:util'
import { findExcess, soak } from '../test/simulation/soak.ts'
import { type SoakPlaceMaker, soakPlaces } from '../test/simulation/soak-places.ts'

const { values } = parseArgs({
  options: {
    driver: { type: 'string', default: 'sqlite' },
    registrations: { type: 'string', default: '1000000' },
    cycles: { type: 'string', default: '1000000' },
  },
})
const createPlace = new Map<string, SoakPlaceMaker>(Object.entries(soakPlaces)).get(values.driver)
if (!createPlace) {
  console.error(`--driver must be one of ${Object.keys(soakPlaces).join(', ')}`)
  process.exit(2)
}

const startedAt = performance.now()

/** Keeps one line on a terminal; elsewhere writes one for each tenth. */
function showProgress(share: number): void {
  const seconds = (performance.now() - startedAt) / 1000
  const left = (seconds / share) * (1 - share)
  const line = `${Math.round(share * 100)} %, ${seconds.toFixed(0)} s, ${left.toFixed(0)} s left`
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  else if (Math.round(share * 100) % 10 === 0) console.error(line)
}

function toMebibytes(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

const [registrations, cycles] = [Number(values.registrations), Number(values.cycles)]
const report = await soak({ createPlace, registrations, cycles, onProgress: showProgress })
const { rows, size, memory } = report
const lines: [string, string][] = [
  ['driver', values.driver],
  ['registrations, cycles', `${registrations}, ${cycles}`],
  ['seconds', ((performance.now() - startedAt) / 1000).toFixed(0)],
  ['rows that should be alive', rows.expected.toFixed(0)],
  ['rows alive', `${rows.alive}`],
  ['most rows', `${rows.most}`],
  ['rows once all has expired', `${rows.left}`],
  ['store after half', toMebibytes(size.half)],
  ['store at the end', toMebibytes(size.end)],
  ['same rows in a new store', toMebibytes(size.fresh)],
  ['store once all has expired', toMebibytes(size.left)],
  ['memory after half', toMebibytes(memory.half)],
  ['memory at the end', toMebibytes(memory.end)],
]
console.log(lines.map(([name, value]) => `${name.padEnd(28)}${value}`).join('\n'))
const excess = findExcess(report)
for (const words of excess) console.error(words)
process.exit(excess.length > 0 ? 1 : 0)
