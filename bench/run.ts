/**
 * `npm run bench`: what Gatehouse costs and how fast it is, beside its peers and the floors below all of
 * them, side by side in one run. `bench/README.md` says what is measured and how.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { findAbsent } from './absent.ts'
import { type Contender, issuers } from './contenders.ts'
import { countCosts } from './costs.ts'
import { measureGrowth, renderGrowth, type Sizes } from './growth.ts'
import { runLoad, takeSample } from './load.ts'
import { type Operation, operations } from './operations.ts'
import { writeProfile } from './profile.ts'
import { renderContenders, renderCosts, renderOperation } from './report.ts'
import { lanes } from './servers/protocol.ts'
import { measureStarts, renderStarts } from './startup.ts'
import { type Measured, summarize, type Taken } from './summary.ts'
import { judge, renderVerdicts } from './targets.ts'
import { createWorkshop, type Workshop } from './workshop.ts'

const parts = ['costs', ...operations.map(({ name }) => name), 'start', 'growth']
const usage = `Usage: npm run bench -- [options]

  --only NAME     one of ${parts.join(', ')}; may be repeated
  --with ID       only these beside the floors: ${issuers.map(({ id }) => id).join(', ')}; may be repeated
  --quick         fewer and shorter rounds
  --large         growth over 10,000,000 rows of SQLite and 1,000,000 of Redis and PostgreSQL
  --profile ID    instead: a CPU profile of one of them under each operation of --only, as a list of
                  functions and a .cpuprofile file
  --json          prints JSON instead of tables
`

/** How thorough a run is. */
interface Thoroughness {
  readonly rounds: number
  /** Length of one sample. */
  readonly milliseconds: number
  /** For how long a server's code becomes hot first. */
  readonly warmUpMilliseconds: number
  /** How often each program is started. */
  readonly starts: number
  /** Rows of the great store of each driver. */
  readonly sizes: Sizes
}

const thorough: Thoroughness = {
  rounds: 7,
  milliseconds: 400,
  warmUpMilliseconds: 3000,
  starts: 11,
  sizes: { sqlite: 1_000_000, redis: 0, postgres: 0 },
}
const quick: Thoroughness = {
  rounds: 3,
  milliseconds: 250,
  warmUpMilliseconds: 1500,
  starts: 7,
  sizes: { sqlite: 100_000, redis: 0, postgres: 0 },
}
const largeSizes: Sizes = { sqlite: 10_000_000, redis: 1_000_000, postgres: 1_000_000 }

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    with: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

verifyOptions()
const thoroughness = options.quick ? quick : thorough
const absent = findAbsent()
const workshop = createWorkshop()
let isEnding = false
const end = async (code: number): Promise<void> => {
  if (isEnding) return
  isEnding = true
  await workshop.close()
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130))
try {
  await (options.profile === undefined ? measure() : profile(options.profile))
  await end(0)
} catch (error) {
  // Whoever ends the run takes the servers away from under it.
  if (!isEnding) console.error(error)
  await end(1)
}

function verifyOptions(): void {
  const ids = issuers.map(({ id }) => id)
  const wrong = [
    ...options.only.filter((name) => !parts.includes(name)),
    ...[...options.with, ...(options.profile === undefined ? [] : [options.profile])].filter(
      (id) => !ids.includes(id),
    ),
  ]
  if (!options.help && wrong.length === 0) return
  if (wrong.length > 0) console.error(`There is nothing called ${wrong.join(', ')}\n`)
  console.error(usage)
  process.exit(wrong.length > 0 ? 2 : 0)
}

function isWantedPart(name: string): boolean {
  return options.only.length === 0 || options.only.includes(name)
}

async function measure(): Promise<void> {
  const costs = isWantedPart('costs') ? await countCosts() : []
  if (costs.length > 0) say(renderCosts(costs))
  const wanted = operations.filter(({ name }) => isWantedPart(name))
  if (wanted.length > 0) {
    say(`\n${lanes} connections; ${workshop.placement.note}; CPU is that of the server's process\n`)
    say(renderContenders(issuers.filter(isWantedIssuer)))
    for (const { name, remedy } of absent) say(`- not here: ${name}; ${remedy}`)
  }
  const all: Measured[] = []
  for (const operation of wanted) {
    const measured = await measureOperation(operation, workshop)
    all.push(measured)
    say(renderOperation(measured))
    const verdicts = judge(measured)
    if (verdicts.length > 0) say(`\n${renderVerdicts(verdicts)}`)
  }
  const starts = isWantedPart('start')
    ? await measureStarts(workshop, thoroughness.starts, tellProgress)
    : []
  if (starts.length > 0) say(renderStarts(starts, thoroughness.starts))
  const sizes = options.large ? largeSizes : thoroughness.sizes
  const growth = isWantedPart('growth')
    ? await measureGrowth(workshop, sizes, thoroughness, tellProgress)
    : []
  if (growth.length > 0) say(renderGrowth(growth))
  if (options.json) console.log(JSON.stringify({ ...toData(all), costs, starts, growth }))
}

function say(text: string): void {
  if (!options.json) console.log(text)
}

function isWantedIssuer({ id }: { id: string }): boolean {
  if (absent.some((missing) => missing.id === id)) return false
  return options.with.length === 0 || options.with.includes(id)
}

function toData(all: readonly Measured[]) {
  const { version, platform, arch } = process
  const machine = { node: version, platform, arch, cpus: cpus().length, quick: options.quick }
  const measured = all.map(({ taken: _, ...rest }) => rest)
  return { machine, placement: workshop.placement, measured, verdicts: all.flatMap(judge) }
}

/** Starts the contenders, warms them up and lets them take turns. */
async function measureOperation(operation: Operation, place: Workshop): Promise<Measured> {
  const { rounds, milliseconds, warmUpMilliseconds } = thoroughness
  tellProgress(`${operation.name}: starting the servers`)
  const contenders = await operation.prepare(place, isWantedIssuer)
  for (const { name, operate } of contenders) {
    tellProgress(`${operation.name}: warming up ${name}`)
    await runLoad(operate, { lanes, milliseconds: warmUpMilliseconds })
  }
  const taken: Taken[] = []
  for (let round = 0; round < rounds; round += 1) {
    tellProgress(`${operation.name}: round ${round + 1} of ${rounds}`)
    taken.push(...(await runRound(contenders, round, milliseconds)))
  }
  await place.stopServers()
  const names = contenders.map(({ name }) => name)
  return summarize(operation, names, taken)
}

/** One after the other, in turned order every other round. */
async function runRound(
  contenders: readonly Contender[],
  round: number,
  milliseconds: number,
): Promise<Taken[]> {
  const taken: Taken[] = []
  const order = round % 2 === 1 ? contenders.toReversed() : contenders
  for (const { name, server, operate } of order) {
    const sample = await takeSample(server, operate, { lanes, milliseconds })
    taken.push({ contender: name, sample })
  }
  return taken
}

/** Where the time of one contender goes. */
async function profile(id: string): Promise<void> {
  for (const operation of operations.filter(({ name }) => isWantedPart(name))) {
    tellProgress(`${operation.name}: profiling ${id}`)
    const contenders = await operation.prepare(workshop, (issuer) => issuer.id === id)
    const contender = contenders.at(-1)
    if (contender) console.log(await writeProfile(contender, operation.name, tellProgress))
    await workshop.stopServers()
  }
}

function tellProgress(text: string): void {
  console.error(`bench: ${text}`)
}
