/** The entries of a Redis store: how the operations become commands, and texts become entries. */
import { unavailable } from '../errors.ts'
import { commitScript, runScript, sweepScript } from './redis-scripts.ts'
import type { Commit, Entry, ListedEntry, Write } from './store.ts'

/** The keys of one prefix, all in one slot; `redis.ts` says what each holds. */
export interface Keyspace {
  readonly format: string
  readonly names: string
  readonly expiries: string
  readonly sequence: string
  /** Of a key's entry. */
  readonly toKey: (key: string) => string
  /** Where in {@link Keyspace.toKey} the key begins, counted from 1. */
  readonly from: string
  /** What the channel of a key's changes begins with. */
  readonly channel: string
}

/** Names the keys of a prefix, which must not have braces in it. */
export function createKeyspace(prefix: string): Keyspace {
  const tag = `{${prefix}}:`
  return {
    format: `${tag}format`,
    names: `${tag}names`,
    expiries: `${tag}expiries`,
    sequence: `${tag}sequence`,
    toKey: (key) => `${tag}entry:${key}`,
    from: String(`${tag}entry:`.length + 1),
    channel: `${tag}changed:`,
  }
}

type Run = (args: readonly string[]) => Promise<unknown>

/** The operations of a store, without hints. Times are unix seconds. */
export interface Rows {
  get(keys: readonly string[], now: number): Promise<(Entry | undefined)[]>
  commit(change: Commit, now: number): Promise<boolean>
  list(range: { lower: string; upper: string; limit: number }, now: number): Promise<ListedEntry[]>
  sweep(limit: number, now: number): Promise<number>
  /** The last version given, so another text after every commit that set something. */
  look(): Promise<string>
}

/** Keys that one sweeping script deletes at most, so that no request waits for it. */
const sweepSlice = 100

/** Brings the operations to a connection. */
export function createRows(run: Run, space: Keyspace): Rows {
  const { names, expiries, sequence, toKey, from, channel } = space

  const get = async (
    keys: readonly string[],
    now: number,
  ): Promise<(ListedEntry | undefined)[]> => {
    if (keys.length === 0) return []
    const texts = toTexts(await run(['MGET', ...keys.map(toKey)]))
    return keys.map((key, at) => parseEntry(key, texts[at], now))
  }
  /** Deletes at most so many; `isLast` when no more are due. */
  const sweepOnce = async (limit: number, now: number) => {
    const range = ['-inf', String(now), 'LIMIT', '0', String(limit)]
    const due = toTexts(await run(['ZRANGEBYSCORE', expiries, ...range]))
    const keys = [names, expiries, ...due.map(toKey)]
    const gone = due.length > 0 ? await runScript(run, sweepScript, keys, [String(now), from]) : 0
    return { gone: Number(gone), isLast: due.length < limit }
  }
  return {
    get,
    async commit({ check = [], set = [], delete: deleted = [] }, now) {
      const touched = [...[...check, ...set].map(({ key }) => key), ...deleted]
      const keys = [names, expiries, sequence, ...touched.map(toKey)]
      const reply = await runScript(run, commitScript, keys, [
        ...[now, from, channel, check.length, set.length].map(String),
        ...check.map(({ version }) => String(version ?? '')),
        ...set.flatMap((write) => toArguments(write, now)),
      ])
      return reply === 1
    },
    async list({ lower, upper, limit }, now) {
      const found: ListedEntry[] = []
      for (let after = lower; found.length < limit; ) {
        const range = [after, upper, 'LIMIT', '0', String(limit)]
        const page = toTexts(await run(['ZRANGEBYLEX', names, ...range]))
        found.push(...(await get(page, now)).filter((entry) => entry !== undefined))
        if (page.length < limit) break
        after = `(${page.at(-1)}`
      }
      return found.slice(0, limit)
    },
    async sweep(limit, now) {
      let swept = 0
      for (let isLast = false; swept < limit && !isLast; ) {
        const slice = await sweepOnce(Math.min(sweepSlice, limit - swept), now)
        swept += slice.gone
        isLast = slice.isLast
      }
      return swept
    },
    look: async () => String(await run(['GET', sequence])),
  }
}

/** How long after its expiry Redis itself drops a value that nobody swept. */
const evictionSlackSeconds = 86_400

function toArguments({ value, expiresAt }: Write, now: number): string[] {
  if (expiresAt === undefined) return [value, '', '']
  // Counted from our clock, as Redis's may differ. Any safe integer of seconds fits Redis's 64 bits.
  const eviction = Math.max(expiresAt - now, 0) + evictionSlackSeconds
  return [value, String(expiresAt), String(eviction * 1000)]
}

/** Reads `<version> <expiry or nothing> <value>`. */
function parseEntry(key: string, text: string | undefined, now: number): ListedEntry | undefined {
  if (!text) return undefined
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  const expiry = text.slice(first + 1, second)
  const expiresAt = expiry === '' ? undefined : Number(expiry)
  if (expiresAt !== undefined && expiresAt <= now) return undefined
  return { key, value: text.slice(second + 1), version: Number(text.slice(0, first)), expiresAt }
}

/** The texts of an array reply; where there is none, as in `MGET`, it is empty. */
function toTexts(reply: unknown): string[] {
  if (!Array.isArray(reply)) throw unavailable('store_reply', reply)
  return reply.map((text: unknown) => (typeof text === 'string' ? text : ''))
}
