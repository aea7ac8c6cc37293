/**
 * `npm run bench`: what Gatehouse costs, beside a bare `node:http` server and `oidc-provider`, all
 * measured in the same run. See `docs/guides/performance.md`.
 */

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { countCosts } from './costs.ts'
import { type Load, runLoad, type Sample, takeSample } from './load.ts'
import { type Contender, createWorkshop, type Operation, operations } from './operations.ts'
import { type Measured, renderCosts, renderOperation, summarize } from './report.ts'
import { lanes } from './servers/protocol.ts'

const usage = `Usage: npm run bench -- [options]

  --only NAME   one of ${operations.map(({ name }) => name).join(', ')}, costs; may be repeated
  --quick       fewer and smaller rounds: about half a minute instead of two
  --json        prints JSON instead of tables
`

/** How thorough a run is. */
interface Thoroughness {
  readonly rounds: number
  /** No new round begins after so long, once there are {@link fewestRounds}: busy machines get fewer. */
  readonly roundsSeconds: number
  /** Share of each operation's count that one sample takes. */
  readonly share: number
  /** Samples that are thrown away first, while the server's code becomes hot. */
  readonly warmUps: number
}

const thorough: Thoroughness = { rounds: 9, roundsSeconds: 18, share: 1, warmUps: 4 }
const quick: Thoroughness = { rounds: 3, roundsSeconds: 6, share: 0.5, warmUps: 3 }
const fewestRounds = 3

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const known = new Set(['costs', ...operations.map(({ name }) => name)])
const unknown = options.only.find((name) => !known.has(name))
if (options.help || unknown !== undefined) {
  if (unknown !== undefined) console.error(`There is nothing to measure called ${unknown}\n`)
  console.error(usage)
  process.exit(unknown === undefined ? 0 : 2)
}

await measure()

async function measure(): Promise<void> {
  const isWanted = (name: string) => options.only.length === 0 || options.only.includes(name)
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
  const clear = () => rmSync(folder, { recursive: true, force: true })
  // The servers see their channel close and end by themselves.
  process.once('SIGINT', () => {
    clear()
    process.exit(130)
  })
  try {
    const costs = isWanted('costs') ? await countCosts() : []
    if (!options.json && costs.length > 0) console.log(renderCosts(costs))
    const measured: Measured[] = []
    for (const operation of operations.filter(({ name }) => isWanted(name))) {
      const summary = await measureOperation(operation, folder)
      measured.push(summary)
      if (!options.json) console.log(renderOperation(summary))
    }
    if (options.json) console.log(JSON.stringify({ machine: toMachine(), costs, measured }))
  } finally {
    clear()
  }
}

function toMachine() {
  const { version, platform, arch } = process
  return { node: version, platform, arch, cpus: cpus().length, quick: options.quick }
}

/** Starts the contenders, warms them up and lets them take turns. */
async function measureOperation(operation: Operation, folder: string): Promise<Measured> {
  const { rounds, roundsSeconds, share, warmUps } = options.quick ? quick : thorough
  const count = Math.ceil(operation.count * share)
  const workshop = createWorkshop(folder)
  try {
    tellProgress(`${operation.name}: starting the servers`)
    const contenders = await operation.prepare(workshop)
    for (const { name, operate, weight } of contenders) {
      tellProgress(`${operation.name}: warming up ${name}`)
      await runLoad(operate, { concurrency: lanes, count: count * weight * warmUps })
    }
    const samples = await takeTurns(operation.name, contenders, { rounds, roundsSeconds, count })
    return summarize(operation, samples)
  } finally {
    await workshop.stopAll()
  }
}

/** One after the other within each round, in turned order every other round. */
async function takeTurns(
  operation: string,
  contenders: readonly Contender[],
  { rounds, roundsSeconds, count }: { rounds: number; roundsSeconds: number; count: number },
) {
  const samples: { contender: string; load: Load; sample: Sample }[] = []
  const deadline = performance.now() + roundsSeconds * 1000
  for (let round = 0; round < rounds; round += 1) {
    if (round >= fewestRounds && performance.now() > deadline) break
    tellProgress(`${operation}: round ${round + 1} of ${rounds}`)
    for (const concurrency of [1, lanes]) {
      for (const { name, server, operate, weight } of round % 2
        ? contenders.toReversed()
        : contenders) {
        const load = { concurrency, count: count * weight }
        samples.push({ contender: name, load, sample: await takeSample(server, operate, load) })
      }
    }
  }
  return samples
}

function tellProgress(text: string): void {
  console.error(`bench: ${text}`)
}
