/** The store that forgets: for tests, for trying things out, and as the plainest reading of the contract. */
import { unavailable } from '../errors.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { verifyChange } from './change.ts'
import { createHints } from './hints.ts'
import { createSortedKeys } from './sorted-keys.ts'
import type { Commit, Entry, ListedEntry, Store, Write } from './store.ts'

interface Row {
  readonly entry: Entry
  readonly expiresAt: number | undefined
}

/** Creates an empty store that lives as long as the process. */
export function memoryStore(options: { clock?: Clock | undefined } = {}): Store {
  const { clock = systemClock } = options
  const rows = createRows()
  const hints = createHints()
  let closed = false

  const findRow = (key: string): Row | undefined => {
    const row = rows.get(key)
    return row?.expiresAt !== undefined && row.expiresAt <= clock.now() ? undefined : row
  }
  const find = (key: string): Entry | undefined => findRow(key)?.entry
  const verifyOpen = (): void => {
    if (closed) throw unavailable('store_closed')
  }

  return {
    async get(keys) {
      verifyOpen()
      return keys.map(find)
    },
    async commit(change) {
      verifyOpen()
      verifyChange(change)
      if (!holds(change, find)) return false
      for (const key of change.delete ?? []) rows.remove(key)
      for (const write of change.set ?? []) rows.put(write)
      hints.tell([...(change.delete ?? []), ...(change.set ?? []).map((write) => write.key)])
      await nextTurn()
      return true
    },
    async list(prefix, { after, limit = 100 } = {}) {
      verifyOpen()
      const found: ListedEntry[] = []
      for (const key of rows.keysFrom(after !== undefined && after > prefix ? after : prefix)) {
        if (found.length >= limit || !key.startsWith(prefix)) break
        const row = key === after ? undefined : findRow(key)
        if (row) found.push({ ...row.entry, expiresAt: row.expiresAt })
      }
      return found
    },
    subscribe: hints.subscribe,
    isHearing: () => true,
    async sweep(limit) {
      verifyOpen()
      return rows.removeExpired(clock.now(), limit)
    },
    async close() {
      closed = true
    },
  }
}

/**
 * Acknowledges in the next turn of the event loop, as a store that writes somewhere does: requests that
 * came in together are then answered together, at three quarters of the cost.
 */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

function holds(change: Commit, find: (key: string) => Entry | undefined): boolean {
  return (change.check ?? []).every(({ key, version }) => (find(key)?.version ?? null) === version)
}

/** The rows, their order, and which of them expire when. */
function createRows() {
  const rows = new Map<string, Row>()
  const order = createSortedKeys()
  const expiries = createExpiries()
  let lastVersion = 0

  const remove = (key: string): void => {
    const row = rows.get(key)
    if (!row) return
    rows.delete(key)
    order.remove(key)
    expiries.remove(key, row.expiresAt)
  }
  const put = ({ key, value, expiresAt }: Write): void => {
    const before = rows.get(key)
    lastVersion += 1
    rows.set(key, { entry: { key, value, version: lastVersion }, expiresAt })
    if (!before) order.add(key)
    if (before && before.expiresAt === expiresAt) return
    expiries.remove(key, before?.expiresAt)
    expiries.add(key, expiresAt)
  }
  const removeExpired = (now: number, limit: number): number => {
    const due = expiries.findDue(now, limit)
    due.forEach(remove)
    return due.length
  }
  return { get: (key: string) => rows.get(key), keysFrom: order.from, put, remove, removeExpired }
}

/** Keys by the second at which they expire, so that those of one second need no order among themselves. */
function createExpiries() {
  const keysAt = new Map<number, Set<string>>()
  const times = createSortedKeys()

  return {
    add(key: string, at: number | undefined): void {
      if (at === undefined) return
      const keys = keysAt.get(at)
      if (keys) return void keys.add(key)
      keysAt.set(at, new Set([key]))
      times.add(toSortable(at))
    },
    remove(key: string, at: number | undefined): void {
      const keys = at === undefined ? undefined : keysAt.get(at)
      if (at === undefined || !keys?.delete(key) || keys.size > 0) return
      keysAt.delete(at)
      times.remove(toSortable(at))
    },
    /** Those that expired first. */
    findDue(now: number, limit: number): string[] {
      const due: string[] = []
      for (const time of times.from('')) {
        const at = Number(time)
        if (due.length >= limit || at > now) break
        for (const key of keysAt.get(at) ?? []) if (due.push(key) >= limit) break
      }
      return due
    },
  }
}

const expiryDigits = 17

/** Orders numbers as texts; those before zero, long gone, come first in any order. */
function toSortable(at: number): string {
  return at < 0 ? String(at) : String(at).padStart(expiryDigits, '0')
}
