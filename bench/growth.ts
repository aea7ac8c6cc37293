/** What a request costs over a store with a hundred rows, and over one with a great many. */
import { createHash } from 'node:crypto'
import { openStore, parseStoreUrl } from '../src/operate/config/store.ts'
import { systemClock } from '../src/platform/clock.ts'
import type { Store, Write } from '../src/storage/store.ts'
import { createClient } from './client.ts'
import { type Issuer, issuers } from './contenders.ts'
import { openLanes, type ToOperate, toCycle, toRefresh, toRegister } from './lanes.ts'
import { type Operate, runLoad, type Sample, takeSample } from './load.ts'
import { renderTable } from './report.ts'
import type { MeasuredServer } from './server-process.ts'
import { lanes } from './servers/protocol.ts'
import { findMedian } from './statistics.ts'
import { type Ratio, toRatio } from './summary.ts'
import type { StorePlace, Workshop } from './workshop.ts'

/** How many rows the great store of a driver has. */
export interface Sizes {
  readonly sqlite: number
  readonly redis: number
  readonly postgres: number
}

/** How one driver does with both stores. */
export interface Growth {
  readonly store: string
  readonly operation: string
  readonly rows: number
  /** CPU time of the server's process for one operation over each, in microseconds. */
  readonly few: number
  readonly many: number
  /** Cost over the great store to cost over the small one: by CPU time, and by time for each operation. */
  readonly byCpu: Ratio
  readonly byRate: Ratio
}

const fewRows = 100
/** What the ratio is to stay below. */
const mostRatio = 1.3
const rowsPerCommit = 500

const measuredOperations: readonly [string, ToOperate][] = [
  ['refresh', toRefresh],
  ['cycle', toCycle],
  ['register', toRegister],
]

/** Thoroughness of a sample. */
interface Rounds {
  readonly rounds: number
  readonly milliseconds: number
  readonly warmUpMilliseconds: number
}

/** Fills the stores, then measures both in turns. Drivers whose size is 0 are left out. */
export async function measureGrowth(
  workshop: Workshop,
  sizes: Sizes,
  rounds: Rounds,
  tell: (text: string) => void,
): Promise<Growth[]> {
  const measured: Growth[] = []
  for (const issuer of issuers) {
    const size = issuer.kind === 'gatehouse' && issuer.store !== 'memory' ? sizes[issuer.store] : 0
    if (size === 0) continue
    const few = await startOver(workshop, issuer, fewRows, tell)
    const many = await startOver(workshop, issuer, size, tell)
    for (const [name, toOperate] of measuredOperations) {
      tell(`growth: ${issuer.name}, ${name}`)
      const samples = await compare(few, many, toOperate, rounds)
      measured.push({ store: issuer.name, operation: name, rows: size, ...samples })
    }
    await workshop.stopServers()
  }
  return measured
}

async function startOver(
  workshop: Workshop,
  issuer: Issuer,
  rows: number,
  tell: (text: string) => void,
): Promise<MeasuredServer> {
  const place = await workshop.findStore(issuer.store)
  await fill(place, rows, (done) =>
    tell(`growth: ${issuer.name}, ${done} of ${rows} rows are stored`),
  )
  return workshop.startGatehouse(place)
}

async function compare(
  few: MeasuredServer,
  many: MeasuredServer,
  toOperate: ToOperate,
  { rounds, milliseconds, warmUpMilliseconds }: Rounds,
) {
  const servers = [few, many]
  const operates: Operate[] = []
  for (const server of servers) {
    const client = createClient(server.send, server)
    const operate = toOperate(client, await openLanes(client, server))
    await runLoad(operate, { lanes, milliseconds: warmUpMilliseconds })
    operates.push(operate)
  }
  const taken: [Sample[], Sample[]] = [[], []]
  for (let round = 0; round < rounds; round += 1) {
    for (const n of round % 2 === 1 ? [1, 0] : [0, 1]) {
      const [server, operate] = [servers[n], operates[n]]
      if (server && operate) {
        taken[n]?.push(await takeSample(server, operate, { lanes, milliseconds }))
      }
    }
  }
  return summarize(...taken)
}

function summarize(few: readonly Sample[], many: readonly Sample[]) {
  const toRatios = (read: (few: Sample, many: Sample) => number): Ratio =>
    toRatio(few.flatMap((sample, n) => (many[n] ? [read(sample, many[n])] : [])))
  return {
    few: findMedian(few.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    many: findMedian(many.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    byCpu: toRatios((one, other) => other.cpuMicroseconds / one.cpuMicroseconds),
    byRate: toRatios((one, other) => one.perSecond / other.perSecond),
  }
}

/** Writes rows such as use leaves behind, through the driver itself. */
async function fill(
  { store: url, prefix }: StorePlace,
  count: number,
  onProgress: (done: number) => void,
): Promise<void> {
  const parsed = parseStoreUrl({ url, prefix })
  if ('problem' in parsed) throw new TypeError(`The store ${parsed.problem}`)
  const store: Store = await openStore(parsed.store, { clock: systemClock })
  const now = systemClock.now()
  try {
    for (let done = 0; done < count; done += rowsPerCommit) {
      const set = Array.from({ length: Math.min(rowsPerCommit, count - done) }, (_, n) =>
        toRow(done + n, count, now),
      )
      await store.commit({ set })
      if (done % 100_000 === 0) onProgress(done)
    }
  } finally {
    await store.close()
  }
}

/** Kinds of rows, their share of all, and how much is in one: about as after some months of use. */
const kinds = [
  { prefix: 'client/mcp_', share: 0.4, bytes: 420 },
  { prefix: 'client-grant/mcp_', share: 0.15, bytes: 60 },
  { prefix: 'family/', share: 0.15, bytes: 330 },
  { prefix: 'grant/', share: 0.15, bytes: 380 },
  { prefix: 'user-grant/', share: 0.15, bytes: 60 },
] as const

/**
 * The n-th row of all. Keys are spread evenly over each kind and ascend, so that a tree is filled from one
 * side, which is fast, while what is written later falls between them, as it would.
 */
function toRow(n: number, count: number, now: number): Write {
  let before = 0
  const share = n / count
  for (const { prefix, share: own, bytes } of kinds) {
    if (share < before + own || prefix === 'user-grant/') {
      const place = Math.floor(((share - before) / own) * 0xffff_ffff)
      const noise = createHash('sha256').update(`${n}`).digest('hex')
      const key = `${prefix}${place.toString(16).padStart(8, '0')}${noise.slice(0, 24)}`
      const filler = noise.repeat(Math.ceil(bytes / noise.length)).slice(0, bytes)
      return { key, value: JSON.stringify({ filler }), expiresAt: now + 30 * 86_400 + n }
    }
    before += own
  }
  throw new RangeError(`There is no row ${n}`)
}

/** The table, and what is to be said of the target. */
export function renderGrowth(measured: readonly Growth[]): string {
  const rows = measured.map((one) => [
    one.store,
    one.operation,
    one.rows.toLocaleString('en'),
    one.few.toFixed(0),
    one.many.toFixed(0),
    `${one.byCpu.median.toFixed(2)} (${one.byCpu.least.toFixed(2)}–${one.byCpu.greatest.toFixed(2)})`,
    one.byRate.median.toFixed(2),
    one.byCpu.median <= mostRatio ? 'met' : 'missed',
  ])
  const head = [
    'store',
    'operation',
    'rows',
    `CPU µs/op at ${fewRows}`,
    'at rows',
    'cost ratio by CPU (least–greatest)',
    'by ops/s',
    `target <= ${mostRatio} by CPU`,
  ]
  return `\ngrowth: the same over ${fewRows} rows and over many\n\n${renderTable(head, rows)}`
}
