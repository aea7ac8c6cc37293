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

/** The rows, their order, and their order of expiry. */
function createRows() {
  const rows = new Map<string, Row>()
  const order = createSortedKeys()
  const expiries = createSortedKeys()
  let lastVersion = 0

  const remove = (key: string): void => {
    const row = rows.get(key)
    if (!row) return
    rows.delete(key)
    order.remove(key)
    if (row.expiresAt !== undefined) expiries.remove(toExpiry(row.expiresAt, key))
  }
  const put = ({ key, value, expiresAt }: Write): void => {
    remove(key)
    lastVersion += 1
    rows.set(key, { entry: { key, value, version: lastVersion }, expiresAt })
    order.add(key)
    if (expiresAt !== undefined) expiries.add(toExpiry(expiresAt, key))
  }
  const removeExpired = (now: number, limit: number): number => {
    const due: string[] = []
    for (const expiry of expiries.from('')) {
      if (due.length >= limit || expiry >= toExpiry(now + 1, '')) break
      due.push(expiry.slice(expiryDigits))
    }
    due.forEach(remove)
    return due.length
  }
  return { get: (key: string) => rows.get(key), keysFrom: order.from, put, remove, removeExpired }
}

const expiryDigits = 16

/** Orders by expiry first; negative times (long gone) count as zero. */
function toExpiry(expiresAt: number, key: string): string {
  return String(Math.max(0, expiresAt)).padStart(expiryDigits, '0') + key
}
