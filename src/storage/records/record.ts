/**
 * What every remembered thing has in common: a key prefix, a type, and JSON in between.
 *
 * A record type owns its prefix. Its file says what it is, how long it lives and which atomic moves
 * it has; `docs/storage-schema.md` is written from these files.
 */
import type { Entry, Store, Write } from '../store.ts'

/** A record as it was read: the value, and the version to check when writing it again. */
export interface Stored<T> {
  readonly key: string
  readonly value: T
  readonly version: number
}

/** The handle of one kind of record. */
export interface RecordType<T> {
  readonly prefix: string
  /** The storage key of a record. Parts must not contain `/`. */
  key(...parts: string[]): string
  /** Reads an entry that the store returned for such a key. */
  decode(entry: Entry | undefined): Stored<T> | undefined
  /** The write that stores a value; `expiresAt` in unix seconds, absent for ever. */
  write(key: string, value: T, expiresAt?: number): Write
  /** Reads one record. */
  find(store: Store, ...parts: string[]): Promise<Stored<T> | undefined>
  /** One page of the records whose key begins with the given parts, in key order. */
  list(
    store: Store,
    parts?: string[],
    options?: { after?: string | undefined; limit?: number },
  ): Promise<Stored<T>[]>
  /** All those records, page by page; the next page is read when it is asked for. Default limit of a page: 200. */
  pages(store: Store, parts?: string[], limit?: number): AsyncGenerator<Stored<T>[]>
  /** All those records at once: only for what is never many. */
  all(store: Store, parts?: string[]): Promise<Stored<T>[]>
}

const pageSize = 200

/**
 * Declares a kind of record. The prefix is its namespace in the store and never changes.
 *
 * @param toPart how a part stands in the key. Default: as it is
 */
export function defineRecord<T>(
  prefix: string,
  toPart: (part: string) => string = (part) => part,
): RecordType<T> {
  const key = (...parts: string[]): string => [prefix, ...parts.map(toPart)].join('/')
  const decode = (entry: Entry | undefined): Stored<T> | undefined =>
    entry && { key: entry.key, value: JSON.parse(entry.value) as T, version: entry.version }
  const list: RecordType<T>['list'] = async (store, parts = [], options = {}) => {
    const entries = await store.list(`${key(...parts)}/`, options)
    return entries.flatMap((entry) => decode(entry) ?? [])
  }
  async function* pages(store: Store, parts: string[] = [], limit = pageSize) {
    let after: string | undefined
    for (;;) {
      const page = await list(store, parts, { after, limit })
      if (page.length > 0) yield page
      if (page.length < limit) return
      after = page.at(-1)?.key
    }
  }
  return {
    prefix,
    key,
    decode,
    write: (at, value, expiresAt) => ({ key: at, value: JSON.stringify(value), expiresAt }),
    find: async (store, ...parts) => decode((await store.get([key(...parts)]))[0]),
    list,
    pages,
    async all(store, parts) {
      const found: Stored<T>[] = []
      for await (const page of pages(store, parts)) found.push(...page)
      return found
    },
  }
}
