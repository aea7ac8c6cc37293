/**
 * Copying a store: walks through both in the order of their keys and makes the target equal the source.
 *
 * Each pass compares everything and writes only what differs, so the first one copies, and a later one
 * proves that nothing is missing or brings what changed meanwhile. All can be cut short: how far the
 * first one came stands in the target, in the same commit as the entries (`copy/self`), and the others
 * begin again, because only a whole pass proves anything.
 */
import type { Clock } from '../platform/clock.ts'
import { type Copy, copies } from '../storage/records/copy.ts'
import { vaults } from '../storage/records/vault.ts'
import type { Commit, ListedEntry, Store, Write } from '../storage/store.ts'
import { exitUsage, toFailure } from './failure.ts'

/** What a copy is made with. */
export interface SyncOptions {
  readonly source: Store
  readonly target: Store
  readonly clock: Clock
  /** Where the source is, in words. */
  readonly from: string
  /** Leave alone what only the target has. */
  readonly isMerge: boolean
  /** Told after every slice of a pass. */
  readonly onSlice: (pass: number, seen: number) => void | Promise<void>
  /** Told when a copy goes on that was cut short, or is made once more. */
  readonly onResume: (copy: Copy) => void
}

/** How a copy ended. */
export interface SyncResult {
  /** Entries in the source at the last pass. */
  readonly entries: number
  /** Entries written or removed in this run. */
  readonly changed: number
  /** Whether the last pass found both stores equal; else somebody writes to the source. */
  readonly isEqual: boolean
}

/** Passes of one run. A quiet source needs two. */
const mostPasses = 4
const pageSize = 200
/** Length of the values in one commit, in characters. */
const commitLength = 1_000_000

/**
 * Copies until a whole pass finds nothing to change, or the source proves to be in use.
 *
 * @throws Failure when the target is not empty, belongs to another store, or another copy writes to it
 */
export async function syncStores(options: SyncOptions): Promise<SyncResult> {
  const mark = await createMark(options)
  let changed = 0
  for (let passes = 1; ; passes++) {
    const { entries, written } = await runPass(options, mark)
    const { after: _, ...pass } = mark.value()
    changed += written
    const isEqual = pass.changed === 0 && pass.pass > 1
    const next = isEqual ? { finishedAt: options.clock.now() } : { pass: pass.pass + 1, changed: 0 }
    await mark.replace({ ...pass, ...next })
    if (isEqual || passes === mostPasses) return { entries, changed, isEqual }
  }
}

/** The record of the copy in the target, and the only way to write there. */
interface Mark {
  value(): Copy
  move(next: Partial<Copy>, change?: Commit): Promise<void>
  replace(next: Copy, change?: Commit): Promise<void>
}

async function createMark(options: SyncOptions): Promise<Mark> {
  const { target } = options
  const key = copies.key('self')
  const found = await copies.find(target, 'self')
  let value = found ? toResumed(found.value, options) : await toFirst(options)
  let version = found?.version ?? null

  const replace = async (next: Copy, change: Commit = {}): Promise<void> => {
    const set = [...(change.set ?? []), copies.write(key, next)]
    if (!(await target.commit({ ...change, check: [{ key, version }], set }))) {
      throw toFailure('Another copy writes into this store, or a server was started on it; stop it')
    }
    value = next
    version = (await target.get([key]))[0]?.version ?? null
  }
  await replace(value)
  if (found) options.onResume(found.value)
  return {
    value: () => value,
    replace,
    move: (next, change) => replace({ ...value, ...next }, change),
  }
}

/** Goes on with a copy, or makes a finished one once more before anybody served from it. */
function toResumed(found: Copy, { from, isMerge }: SyncOptions): Copy {
  if (found.from !== from) {
    throw toFailure(
      `The target holds a copy from ${found.from}, not from ${from}; choose another target, or empty this one`,
    )
  }
  if (isMerge && !found.isMerge) {
    throw toFailure('The target holds a copy that was begun without --merge; go on without it')
  }
  if (found.pass === 1) return found
  const { finishedAt: _, ...rest } = found
  return { ...rest, pass: rest.pass + 1, changed: 0 }
}

async function toFirst(options: SyncOptions): Promise<Copy> {
  const { source, target, clock, from, isMerge } = options
  const [present] = await target.list('', { limit: 1 })
  if (present && !isMerge) {
    throw toFailure(
      'The target is not empty; choose an empty one, or add to it with --merge (see docs/guides/stores.md first)',
      exitUsage,
    )
  }
  if (present) await verifySameKeys(source, target)
  return { from, isMerge, startedAt: clock.now(), pass: 1, changed: 0 }
}

/** Two stores that were sealed apart cannot become one: half of it could not be opened. */
async function verifySameKeys(source: Store, target: Store): Promise<void> {
  const [one, other] = await Promise.all(
    [source, target].map((store) => vaults.find(store, 'self')),
  )
  if (!one || !other) return
  const ids = new Set(one.value.dataKeys.map(({ id }) => id))
  if (other.value.dataKeys.some(({ id }) => ids.has(id))) return
  throw toFailure('The two stores are sealed with different keys, so they cannot be merged')
}

/** Makes one pass, or what is left of the first. Returns how many entries it saw and how many it changed. */
async function runPass(options: SyncOptions, mark: Mark) {
  const { source, onSlice } = options
  const isFirst = mark.value().pass === 1
  let entries = 0
  let written = 0
  for (let after = mark.value().after; ; ) {
    const page = await source.list('', { after, limit: pageSize })
    const until = page.at(-1)?.key
    for (const change of toCommits(await compare(options, page, after))) {
      const count = change.set.length + change.delete.length
      const changed = mark.value().changed + count
      await mark.move({ changed, ...(isFirst && { after: change.last }) }, change)
      written += count
    }
    entries += page.length
    await onSlice(mark.value().pass, entries)
    if (until === undefined) return { entries, written }
    after = until
  }
}

/** A commit's worth of changes, in the order of their keys. */
interface Slice {
  readonly set: Write[]
  readonly delete: string[]
  /** The last key it deals with. */
  last: string
}

type Difference = { readonly key: string; readonly write?: Write }

/**
 * What makes the target equal to a page of the source.
 *
 * @param after where the page begins; with an empty page, all that the target has behind it is too much
 */
async function compare(
  { target, clock, isMerge }: SyncOptions,
  page: readonly ListedEntry[],
  after: string | undefined,
): Promise<Difference[]> {
  const there = new Map<string, ListedEntry>()
  for await (const entry of listRange(target, after, page.at(-1)?.key)) there.set(entry.key, entry)
  const now = clock.now()
  const different: Difference[] = []
  for (const { key, value, expiresAt } of page) {
    const known = there.get(key)
    there.delete(key)
    const isGone = expiresAt !== undefined && expiresAt <= now
    if (key === copies.key('self') || isGone) continue
    if (known?.value === value && known.expiresAt === expiresAt) continue
    different.push({ key, write: { key, value, expiresAt } })
  }
  there.delete(copies.key('self'))
  if (!isMerge) for (const key of there.keys()) different.push({ key })
  return different.sort((one, other) => (one.key < other.key ? -1 : 1))
}

/** The entries behind `after` up to `until`, both as keys; undefined is the beginning and the end. */
async function* listRange(
  store: Store,
  after: string | undefined,
  until: string | undefined,
): AsyncGenerator<ListedEntry> {
  for (let cursor = after; ; ) {
    const page = await store.list('', { after: cursor, limit: pageSize })
    for (const entry of page) {
      if (until !== undefined && entry.key > until) return
      yield entry
    }
    cursor = page.at(-1)?.key
    if (cursor === undefined) return
  }
}

/** Splits changes so that no commit is too long for a driver. */
function toCommits(different: readonly Difference[]): Slice[] {
  const slices: Slice[] = []
  let slice: Slice | undefined
  let length = 0
  for (const { key, write } of different) {
    length += write?.value.length ?? 0
    if (slice === undefined || length > commitLength) {
      slice = { set: [], delete: [], last: key }
      slices.push(slice)
      length = write?.value.length ?? 0
    }
    if (write) slice.set.push(write)
    else slice.delete.push(key)
    slice.last = key
  }
  return slices
}
