/**
 * A long life in a short time: registrations that nobody uses and grants that nobody gives back, over
 * months of a moved clock. In the end the store holds what is alive and nothing else (A5).
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createGatehouse } from '../../src/gatehouse.ts'
import type { Gatehouse } from '../../src/options.ts'
import type { ListedEntry, Store } from '../../src/storage/store.ts'
import { createBrowser } from '../helpers/browser.ts'
import { masterKey, noLimits, type TestClock, testClock } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  refresh,
  registerClient,
  type SendPath,
} from '../helpers/oauth-client.ts'
import type { SoakPlace, SoakPlaceMaker } from './soak-places.ts'

/** How long a soak is, and where. */
export interface SoakOptions {
  readonly createPlace: SoakPlaceMaker
  readonly registrations: number
  /** Authorization, redemption and one refresh each. */
  readonly cycles: number
  /** Told after every batch: the share that is done, from 0 to 1. */
  onProgress?(share: number): void
}

/** What is in the store, and what should be. Sizes are bytes, undefined for a store in our own memory. */
export interface SoakReport {
  readonly rows: {
    /** Alive by the rules of their kinds. */
    readonly expected: number
    readonly alive: number
    /** The most that a tenth of the soak left. */
    readonly most: number
    /** Alive long after the end. */
    readonly left: number
  }
  readonly size: {
    /** After half of the soak, when as much is alive as in the end. */
    readonly half: number | undefined
    readonly end: number | undefined
    /** Of a store that nothing was ever written to but what is alive in the end. */
    readonly fresh: number | undefined
    /** When nothing is alive any more; undefined also where the database keeps the room for what will come. */
    readonly left: number | undefined
  }
  /** What our own process holds after half of the soak and after all of it, garbage collected. */
  readonly memory: { readonly half: number; readonly end: number }
}

/** Everything happens within so many seconds: four lives of an unused client. */
const soakSeconds = 120 * 86_400
const batches = 100
const steadyClients = 50
const atOnce = 16

/** Lifetimes of rows, in seconds, as the records say. */
const unusedClientSeconds = 30 * 86_400
const grantSeconds = 60 * 86_400
const familySeconds = 30 * 86_400
/** After so long nothing is alive that ends by time. */
const longSeconds = 400 * 86_400

/** How far off is still right. */
const tolerance = 0.1
/** Where rows come and go, trees of pages are a little emptier than where they only came: by 8 to 11 %. */
const treeTolerance = 0.15
/** Our own process compiles and caches a little more as time goes by, however long that is. */
const memorySlack = 8 * 2 ** 20
/** Such as keys, which never end by time. */
const mostRowsLeft = 100

/** What of a soak is not as it should be, in words; empty when all of it is. */
export function findExcess({ rows, size, memory }: SoakReport): string[] {
  const { half = 0, end = 0, fresh = 0, left = 0 } = size
  const isOff = (found: number, wanted: number, by = tolerance): boolean =>
    Math.abs(found - wanted) > wanted * by
  const rules: [boolean, string][] = [
    [isOff(rows.alive, rows.expected), `${rows.alive} rows instead of ${rows.expected}`],
    [rows.left > mostRowsLeft, `${rows.left} rows when all has expired`],
    [isOff(end, fresh, treeTolerance), `${end} bytes where ${fresh} hold the same rows`],
    [end > half * (1 + tolerance), `grew from ${half} to ${end} bytes in the second half`],
    [left > end * tolerance, `${left} bytes when all has expired`],
    [
      memory.end > memory.half * (1 + tolerance) + memorySlack,
      `our memory grew from ${memory.half} to ${memory.end} bytes in the second half`,
    ],
  ]
  return rules.flatMap(([isBroken, words]) => (isBroken ? [words] : []))
}

/** Runs a soak in a place of its own, swept as the job would, and measures what it leaves. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const clock = testClock()
  const place = await options.createPlace(clock)
  try {
    const { half, most } = await live(place, clock, options)
    const end = await measure(place)
    const alive = await countRows(place.store)
    const fresh = await measureCopy(await options.createPlace(clock), place.store)
    clock.advance(longSeconds)
    await sweepAll(place)
    const left = await countRows(place.store)
    return {
      rows: { expected: expectRows(options), alive, most, left },
      size: {
        half: half.size,
        end: end.size,
        fresh,
        left: place.givesBack ? await place.readSize() : undefined,
      },
      memory: { half: half.memory, end: end.memory },
    }
  } finally {
    await place.close()
  }
}

/** The soak itself. */
async function live(place: SoakPlace, clock: TestClock, options: SoakOptions) {
  const gatehouse = await startGatehouse(place.store, clock)
  const clients = await registerMany(gatehouse, steadyClients)
  for (const client of clients) await cycle(gatehouse, client)
  let most = 0
  let half: Measured = { size: undefined, memory: 0 }
  for (let batch = 1; batch <= batches; batch++) {
    await registerMany(gatehouse, options.registrations / batches)
    await cycleMany(gatehouse, clients, options.cycles / batches)
    clock.advance(soakSeconds / batches)
    await sweepAll(place)
    if (batch % 10 === 0) most = Math.max(most, await countRows(place.store))
    if (batch === batches / 2) half = await measure(place)
    options.onProgress?.(batch / batches)
  }
  await gatehouse.close()
  return { half, most }
}

function startGatehouse(store: Store, clock: TestClock): Promise<Gatehouse> {
  const ignore = (): void => {}
  return createGatehouse({
    issuer: 'http://localhost:8787',
    backends: [{ name: 'Notes' }],
    noSignIn: true,
    store,
    clock,
    masterKey,
    limits: noLimits,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    audit: ignore,
  })
}

/** How much room is taken up: by the store, and by our own process. */
interface Measured {
  readonly size: number | undefined
  readonly memory: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function measure({ readSize }: SoakPlace): Promise<Measured> {
  const size = await readSize()
  collectGarbage()
  // What was finalized only now.
  await new Promise(setImmediate)
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return { size, memory: heapUsed + external }
}

const copiedAtOnce = 100

/** Brings what is alive to an empty store, in the order in which it was written. Returns its size. */
async function measureCopy(place: SoakPlace, from: Store): Promise<number | undefined> {
  try {
    const entries: ListedEntry[] = []
    for await (const page of readPages(from)) entries.push(...page)
    entries.sort((a, b) => a.version - b.version)
    for (let first = 0; first < entries.length; first += copiedAtOnce) {
      await place.store.commit({ set: entries.slice(first, first + copiedAtOnce) })
    }
    await place.tidy()
    return await place.readSize()
  } finally {
    await place.close()
  }
}

/** A sweep gives a limited number of pages back, so some more follow the last row. */
const idleSweeps = 10

/** Sweeps until nothing expired is left, and nothing that sweeping left to be given back. */
async function sweepAll({ store, tidy }: SoakPlace): Promise<void> {
  let idle = 0
  while (idle < idleSweeps) idle = (await store.sweep(500)) > 0 ? 0 : idle + 1
  await tidy()
}

async function countRows(store: Store): Promise<number> {
  let rows = 0
  for await (const page of readPages(store)) rows += page.length
  return rows
}

async function* readPages(store: Store): AsyncGenerator<ListedEntry[]> {
  let after: string | undefined
  for (;;) {
    const page = await store.list('', { after, limit: 1000 })
    yield page
    after = page.at(-1)?.key
    if (page.length < 1000) return
  }
}

/** Three rows for a grant, one for its family and one for a client; few enough others to leave them out. */
function expectRows({
  registrations,
  cycles,
}: Pick<SoakOptions, 'registrations' | 'cycles'>): number {
  const aliveOf = (count: number, seconds: number): number => (count * seconds) / soakSeconds
  return (
    steadyClients +
    aliveOf(registrations, unusedClientSeconds) +
    3 * aliveOf(cycles, grantSeconds) +
    aliveOf(cycles, familySeconds)
  )
}

function senderTo({ fetch, context }: Gatehouse): SendPath {
  return (path, init) => fetch(new Request(context.config.issuer + path, init))
}

/** Runs so many pieces of work, some at a time. */
async function runMany<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let first = 0; first < count; first += atOnce) {
    const size = Math.min(atOnce, count - first)
    results.push(...(await Promise.all(Array.from({ length: size }, (_, n) => work(first + n)))))
  }
  return results
}

function registerMany(gatehouse: Gatehouse, count: number): Promise<Registered[]> {
  const send = senderTo(gatehouse)
  return runMany(count, () => registerClient(send))
}

async function cycleMany(
  gatehouse: Gatehouse,
  clients: readonly Registered[],
  count: number,
): Promise<void> {
  await runMany(count, async (n) => {
    const client = clients[n % clients.length]
    if (client) await cycle(gatehouse, client)
  })
}

/** One click, a code, tokens, and a refresh; then the client is never heard of again. */
async function cycle(gatehouse: Gatehouse, client: Registered): Promise<void> {
  const { issuer } = gatehouse.context.config
  const browser = createBrowser(issuer, gatehouse.fetch)
  const page = await browser.open(issuer + authorizePath(client))
  const back = await browser.press(page, 'decision', 'allow')
  const send = senderTo(gatehouse)
  const code = back.url.searchParams.get('code') ?? ''
  const first = await redeem(send, client, code)
  const second = await refresh(send, client, first.body.refresh_token)
  if (second.status !== 200) throw new Error(`Cycle: ${second.status} ${second.body.error}`)
}
