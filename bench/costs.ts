/**
 * What each operation costs, counted and not timed: looks into the store, keys read, commits, keys
 * written, signatures, hashes. The numbers are the same on every machine, so that a test can hold them.
 *
 * Counting is done around the store and around Node's own cryptography; nothing of Gatehouse is
 * changed for it.
 */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import type { Gatehouse } from '../src/options.ts'
import { systemClock } from '../src/platform/clock.ts'
import { memoryStore } from '../src/storage/memory.ts'
import type { Store } from '../src/storage/store.ts'
import { type Client, createClient, type Jar } from './client.ts'
import type { Message, Send } from './http.ts'
import { buildGatehouse, openSessions } from './servers/gatehouse.ts'
import { usualPaths } from './servers/protocol.ts'

/** The counts of one operation. */
export interface Costs {
  /** Round trips to the store that read. */
  reads: number
  /** Keys asked for in them; a listing counts as one. */
  keysRead: number
  /** Round trips that write: each is a flush of the disk. */
  commits: number
  /** Keys written or deleted in them. */
  keysWritten: number
  signatures: number
  verifications: number
  /** SHA-256, HMAC and HKDF. */
  hashes: number
  /** AES-GCM, either way. */
  ciphers: number
}

/** The costs of one named operation. */
export interface CountedOperation {
  readonly name: string
  readonly costs: Costs
}

const issuer = 'http://127.0.0.1:8787'

/** Runs every operation once, in this process and without a socket, and counts. */
export async function countCosts(): Promise<CountedOperation[]> {
  const meter = createMeter()
  const store = memoryStore({ clock: systemClock })
  const gatehouse = await startCounted(meter, store)
  try {
    return await countAll(gatehouse, meter)
  } finally {
    meter.stop()
    await gatehouse.close()
    await store.close()
  }
}

async function countAll(gatehouse: Gatehouse, meter: Meter): Promise<CountedOperation[]> {
  const counted: CountedOperation[] = []
  const send = toSend(gatehouse)
  /** Counts each request of an operation, and all of them together where there are several. */
  const count = async <T>(name: string, operate: (client: Client, send: Send) => Promise<T>) => {
    const steps: CountedOperation[] = []
    const countedSend: Send = async (message) => {
      const [reply, costs] = await meter.count(() => send(message))
      steps.push({ name: `${name}: ${message.method} ${message.path.split('?')[0]}`, costs })
      return reply
    }
    const client = createClient(countedSend, { origin: issuer, paths: usualPaths })
    const result = await operate(client, countedSend)
    const whole = { name, costs: addUp(steps) }
    counted.push(...(steps.length > 1 ? [whole, ...steps] : [whole]))
    return result
  }

  const jar = toJar(await openSessions(gatehouse, 1))
  const clientId = await count('register', (client) => client.register())
  await count('authorize, first time', (client) => client.authorize(clientId, jar))
  const { tokens } = await count('authorize', (client) => client.authorize(clientId, jar))
  const refreshed = await count('refresh', (client) => client.refresh(tokens))
  await count('refresh, repeated', (client) => client.refresh(tokens))
  const call = toToolCall(refreshed.accessToken)
  await count('gate, first use of a token', (_, counting) => counting(call))
  await count('gate, token seen before', (_, counting) => counting(call))
  await count('metadata', (_, counting) => counting(toGet(usualPaths.metadata)))
  await count('JWKS', (_, counting) => counting(toGet(usualPaths.jwks)))
  return counted
}

function toJar([session = '']: readonly string[]): Jar {
  const [name = '', value = ''] = session.split('=')
  return new Map([[name, value]])
}

function toToolCall(token: string): Message {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return { method: 'POST', path: '/mcp', headers, body: '{}' }
}

function toGet(path: string): Message {
  return { method: 'GET', path, headers: {} }
}

function addUp(steps: readonly CountedOperation[]): Costs {
  const sum = toNothing()
  for (const { costs } of steps) {
    for (const kind of Object.keys(sum) as (keyof Costs)[]) sum[kind] += costs[kind]
  }
  return sum
}

/** A Gatehouse over a counted store, quiet, whose backend answers at once. */
function startCounted(meter: Meter, store: Store): Promise<Gatehouse> {
  const fetchBackend: typeof fetch = async () => Response.json({})
  return buildGatehouse(meter.around(store), issuer, {
    backend: 'http://127.0.0.1:9/mcp',
    fetch: fetchBackend,
    log: quietLog,
    audit: () => undefined,
  })
}

const silent = () => undefined
const quietLog = { debug: silent, info: silent, warn: silent, error: silent }

function toSend(gatehouse: Gatehouse): Send {
  return async ({ method, path, headers, body }) => {
    const init = { method, headers, ...(body !== undefined && { body }) }
    const response = await gatehouse.fetch(new Request(new URL(path, issuer), init))
    return {
      status: response.status,
      head: [...response.headers].map(([name, value]) => `\r\n${name}: ${value}`).join(''),
      body: await response.text(),
    }
  }
}

/** Counts what passes. */
interface Meter {
  /** The same store, counted. */
  around(store: Store): Store
  /** The result of an operation and what it cost, its work in the background included. */
  count<T>(operate: () => Promise<T>): Promise<[T, Costs]>
  /** Puts Node's functions back. */
  stop(): void
}

function createMeter(): Meter {
  let costs = toNothing()
  const restore = countCryptography((name) => {
    costs[name] += 1
  })
  return {
    around: (store) => countStore(store, (more) => addCosts(costs, more)),
    async count(operate) {
      costs = toNothing()
      const result = await operate()
      // What a request leaves behind to be done is microtasks and stays within one turn.
      await new Promise((resolve) => setImmediate(resolve))
      return [result, { ...costs }]
    },
    stop: restore,
  }
}

function toNothing(): Costs {
  return {
    reads: 0,
    keysRead: 0,
    commits: 0,
    keysWritten: 0,
    signatures: 0,
    verifications: 0,
    hashes: 0,
    ciphers: 0,
  }
}

function addCosts(costs: Costs, more: Partial<Costs>): void {
  costs.reads += more.reads ?? 0
  costs.keysRead += more.keysRead ?? 0
  costs.commits += more.commits ?? 0
  costs.keysWritten += more.keysWritten ?? 0
}

function countStore(store: Store, add: (more: Partial<Costs>) => void): Store {
  return {
    ...store,
    get(keys) {
      add({ reads: 1, keysRead: keys.length })
      return store.get(keys)
    },
    list(prefix, options) {
      add({ reads: 1, keysRead: 1 })
      return store.list(prefix, options)
    },
    commit(change) {
      const keysWritten = (change.set?.length ?? 0) + (change.delete?.length ?? 0)
      add({ commits: 1, keysWritten })
      return store.commit(change)
    },
  }
}

/** Node's functions, each with what a call of it counts as. */
const hashing = ['createHash', 'createHmac', 'hkdfSync', 'hash'] as const
const ciphering = ['createCipheriv', 'createDecipheriv'] as const

/** Counts calls of Node's cryptography until the returned function is called. */
function countCryptography(
  add: (name: 'hashes' | 'ciphers' | 'signatures' | 'verifications') => void,
) {
  const undo: (() => void)[] = []
  const wrap = (owner: object, method: string, name: Parameters<typeof add>[0]): void => {
    const original: unknown = Reflect.get(owner, method)
    if (typeof original !== 'function') return
    const own = Object.getOwnPropertyDescriptor(owner, method)
    const counted = function (this: unknown, ...values: unknown[]): unknown {
      add(name)
      return Reflect.apply(original, this, values)
    }
    Object.defineProperty(owner, method, { value: counted, configurable: true, writable: true })
    undo.push(() => {
      if (own) Object.defineProperty(owner, method, own)
      else Reflect.deleteProperty(owner, method)
    })
  }
  for (const method of hashing) wrap(crypto, method, 'hashes')
  for (const method of ciphering) wrap(crypto, method, 'ciphers')
  wrap(crypto, 'sign', 'signatures')
  wrap(crypto, 'verify', 'verifications')
  syncBuiltinESMExports()
  return () => {
    for (const restore of undo) restore()
    syncBuiltinESMExports()
  }
}
