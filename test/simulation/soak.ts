/**
 * A long life in a short time: registrations that nobody uses and grants that nobody gives back, over
 * months of a moved clock. In the end the store holds what is alive and nothing else (A5).
 */
import { createGatehouse } from '../../src/gatehouse.ts'
import type { Gatehouse } from '../../src/options.ts'
import type { Store } from '../../src/storage/store.ts'
import { createBrowser } from '../helpers/browser.ts'
import { keptLog, masterKey, noLimits, type TestClock } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  type Registered,
  redeem,
  refresh,
  registerClient,
  type SendPath,
} from '../helpers/oauth-client.ts'

/** How long a soak is. */
export interface SoakOptions {
  readonly store: Store
  readonly clock: TestClock
  readonly registrations: number
  /** Authorization, redemption and one refresh each. */
  readonly cycles: number
  /** Told after every batch: the share that is done, from 0 to 1. */
  onProgress?(share: number): void
}

/** What is in the store, and what should be. */
export interface SoakReport {
  /** Rows that are alive by the rules of their kinds. */
  readonly expectedRows: number
  readonly liveRows: number
  /** The most rows that a batch left. */
  readonly mostRows: number
  /** Resident memory after half of the soak and after all of it, in bytes. */
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

/** Runs a soak over an empty store and sweeps it as the job would. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { store, clock } = options
  const gatehouse = await createGatehouse({
    issuer: 'http://localhost:8787',
    backends: [{ name: 'Notes' }],
    noSignIn: true,
    store,
    clock,
    masterKey,
    limits: noLimits,
    log: { ...keptLog(), info: () => {} },
    audit: () => {},
  })
  const clients = await registerMany(gatehouse, steadyClients)
  for (const client of clients) await cycle(gatehouse, client)
  let mostRows = 0
  let half = 0
  for (let batch = 1; batch <= batches; batch++) {
    await registerMany(gatehouse, options.registrations / batches)
    await cycleMany(gatehouse, clients, options.cycles / batches)
    clock.advance(soakSeconds / batches)
    await sweepAll(store)
    if (batch % 10 === 0) mostRows = Math.max(mostRows, await countRows(store))
    if (batch === batches / 2) half = process.memoryUsage().rss
    options.onProgress?.(batch / batches)
  }
  const end = process.memoryUsage().rss
  await gatehouse.close()
  const liveRows = await countRows(store)
  return { expectedRows: expectRows(options), liveRows, mostRows, memory: { half, end } }
}

/** Sweeps until nothing expired is left, and once more for what the sweep leaves behind. */
export async function sweepAll(store: Store): Promise<void> {
  while ((await store.sweep(500)) > 0);
}

export async function countRows(store: Store): Promise<number> {
  let rows = 0
  let after: string | undefined
  for (;;) {
    const page = await store.list('', { after, limit: 1000 })
    rows += page.length
    after = page.at(-1)?.key
    if (page.length < 1000) return rows
  }
}

/** Three rows for a grant, one for its family and one for a client; few enough others to leave them out. */
function expectRows({ registrations, cycles }: SoakOptions): number {
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
