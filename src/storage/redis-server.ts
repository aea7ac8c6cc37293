/** Whether a Redis may be trusted with what must not be lost, and what to tell its owner when not. */
import { randomUUID } from 'node:crypto'
import { OAuthError } from '../errors.ts'
import type { Log } from '../platform/ports.ts'
import { findReplyCode, type RedisAddress, toPlace } from './redis-client.ts'
import type { Rows } from './redis-rows.ts'
import { toStartError } from './start-error.ts'

type Run = (args: readonly string[]) => Promise<unknown>

/** What Redis says of itself; undefined where it does not tell. */
interface Facts {
  readonly evictionPolicy: string | undefined
  readonly appendOnly: string | undefined
  readonly appendFsync: string | undefined
  readonly noFsyncOnRewrite: string | undefined
}

/** How the checks end. */
interface CheckOptions {
  readonly address: RedisAddress
  readonly onWeakDurability: 'refuse' | 'warn'
  readonly log: Log | undefined
}

/**
 * Checks that Redis never evicts, and that it keeps on disk what it acknowledges.
 *
 * Managed services often forbid `CONFIG`: then `INFO` tells most of it, and what stays unknown is
 * logged as a warning.
 *
 * @throws Error `StartError` that says what is wrong, what can happen, and the way out
 */
export async function verifyServer(run: Run, options: CheckOptions): Promise<void> {
  const { address, onWeakDurability, log } = options
  const facts = await readFacts(run)
  const place = toPlace(address)
  const { evictionPolicy } = facts
  if (evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
    throw toStartError(
      `${place} deletes live data when its memory is full (maxmemory-policy is ${evictionPolicy}), such as sign-ins, clients and the marks of used codes; set maxmemory-policy to noeviction`,
    )
  }
  const weakness = findWeakness(facts)
  if (weakness !== undefined && onWeakDurability === 'refuse') {
    throw toStartError(
      `${place} can forget what it acknowledged: ${weakness}. Used codes and revoked access could come back, and people would have to sign in again. Set appendonly to yes and appendfsync to always (or everysec), or accept the loss with onWeakDurability: warn`,
    )
  }
  if (weakness !== undefined) log?.warn('redis can forget what it acknowledged', { weakness })
  const unknown = Object.entries(facts).flatMap(([name, value]) => (value ? [] : [name]))
  if (unknown.length > 0) log?.warn('redis does not tell how durable it is', { unknown })
  if (facts.appendFsync === 'everysec') {
    log?.warn('redis flushes once a second: a power cut can lose what was acknowledged last')
  }
}

function findWeakness(facts: Facts): string | undefined {
  if (facts.appendOnly === 'no') return 'appendonly is no, so a restart loses the latest changes'
  if (facts.appendFsync === 'no') {
    return 'appendfsync is no, so a power cut loses half a minute of changes'
  }
  if (facts.noFsyncOnRewrite === 'yes') {
    return 'no-appendfsync-on-rewrite is yes, so a power cut can lose half a minute of changes'
  }
  return undefined
}

/** What Redis tells of eviction and of what it keeps on disk. */
export async function readFacts(run: Run): Promise<Facts> {
  const info = await readInfo(run)
  const config = new Map([
    ...(await readConfig(run, 'maxmemory-policy')),
    ...(await readConfig(run, '*append*')),
  ])
  const aof = info.get('aof_enabled')
  return {
    evictionPolicy: config.get('maxmemory-policy') ?? info.get('maxmemory_policy'),
    appendOnly: config.get('appendonly') ?? (aof && (aof === '1' ? 'yes' : 'no')),
    appendFsync: config.get('appendfsync'),
    noFsyncOnRewrite: config.get('no-appendfsync-on-rewrite'),
  }
}

/** `INFO` as a map; empty when Redis refuses it. */
async function readInfo(run: Run): Promise<Map<string, string>> {
  const text = await ask(run, ['INFO'])
  const lines = typeof text === 'string' ? text.matchAll(/^(\w+):(.*?)\r?$/gm) : []
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]))
}

/** `CONFIG GET` as a map; empty when Redis refuses it. */
async function readConfig(run: Run, pattern: string): Promise<Map<string, string>> {
  const reply = await ask(run, ['CONFIG', 'GET', pattern])
  if (typeof reply !== 'object' || reply === null) return new Map()
  return new Map(Object.entries(reply).map(([name, value]) => [name, String(value)]))
}

/** The reply, or undefined when the server refuses the question. */
async function ask(run: Run, args: readonly string[]): Promise<unknown> {
  try {
    return await run(args)
  } catch (error) {
    if (isRefusal(error, ['NOPERM', 'ERR'])) return undefined
    throw error
  }
}

function isRefusal(error: unknown, codes: readonly string[]): boolean {
  return error instanceof OAuthError && codes.includes(findReplyCode(error.cause) ?? '')
}

/** The layout of our keys. A change of it is a new number. */
export const newestFormat = 1

/**
 * Marks the prefix as ours at first use.
 *
 * @throws Error `StartError` when a newer Gatehouse or another program uses it
 */
export async function verifyFormat(run: Run, key: string): Promise<void> {
  await run(['SET', key, String(newestFormat), 'NX'])
  const found = Number(await run(['GET', key]))
  if (!Number.isInteger(found) || found < 1) {
    throw toStartError(`The Redis key ${key} belongs to another program; choose another prefix`)
  }
  if (found > newestFormat) {
    throw toStartError(
      `The Redis store was written by a newer Gatehouse (format ${found}, this one knows ${newestFormat}); upgrade Gatehouse`,
    )
  }
}

/**
 * Does once all that a commit does, so that a missing permission shows now and not half-way.
 *
 * @throws OAuthError with Redis's reply as its cause
 */
export async function verifyCommit(rows: Rows, run: Run, channel: string): Promise<void> {
  const key = `probe/${randomUUID()}`
  await run(['PUBLISH', channel + key, ''])
  // Gone by itself, should we not come to delete it: it has long expired.
  await rows.commit({ set: [{ key, value: '1', expiresAt: 1 }] }, 1)
  await rows.commit({ delete: [key] }, 1)
}

/** What its owner can do about an error reply at the start. */
const remedies = new Map([
  ['NOAUTH', 'it wants a password; put user and password into the URL'],
  ['WRONGPASS', 'it does not know this user or password; correct the URL'],
  [
    'NOPERM',
    'the user lacks permissions; allow it our keys, all channels and all commands (~* &* +@all)',
  ],
  ['READONLY', 'it is a replica; use the address of the primary'],
  ['WRONGTYPE', 'another program uses keys of this prefix; choose another prefix'],
  ['OOM', 'its memory is full; raise maxmemory'],
  ['MISCONF', 'it cannot write to its disk; see its log'],
  ['LOADING', 'it is still loading its data; try again soon'],
  ['CLUSTERDOWN', 'the cluster is down; see CLUSTER INFO'],
])

/** An error of the start in words for the owner. */
export function explainFault(error: unknown, address: RedisAddress): unknown {
  if (error instanceof Error && (error.name === 'StartError' || error instanceof TypeError)) {
    return error
  }
  const fault = error instanceof OAuthError ? (error.cause ?? error) : error
  const code = findReplyCode(fault)
  const place = toPlace(address)
  if (code === undefined) {
    const why = fault instanceof Error && 'code' in fault ? ` (${String(fault.code)})` : ''
    return toStartError(`${place} cannot be reached${why}; check that it runs and its URL`, error)
  }
  const says = fault instanceof Error ? fault.message.slice(0, 200) : code
  return toStartError(`${place} cannot be used: ${remedies.get(code) ?? `it says ${says}`}`, error)
}
