/**
 * The embedded store: one SQLite file, WAL and `synchronous=FULL`, shared by any number of processes
 * on one machine. Acknowledged means durable.
 *
 * Reads are answered here, each within microseconds. Writes wait for the disk, so they are done by a
 * thread of their own (decision 14): open streams and other requests go on meanwhile.
 */
import { unavailable } from '../errors.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { verifyChange } from './change.ts'
import { createHints, type Hints } from './hints.ts'
import type { Piece } from './sqlite-batch.ts'
import { openNodeSqlite, type SqliteClient, toStoreFault } from './sqlite-client.ts'
import { createWriteQueue } from './sqlite-queue.ts'
import { createRowReader } from './sqlite-rows.ts'
import { prepareDatabase, readPragma } from './sqlite-schema.ts'
import { createWriterThread, type WriterThread } from './sqlite-thread.ts'
import type { Store } from './store.ts'

/** Where the store is and whose time it goes by. */
export interface SqliteStoreOptions {
  /** The database file. It and its folder are created when missing, readable by their owner only. */
  path: string
  /** What expiry is judged by. Default: the system's. */
  clock?: Clock | undefined
}

/**
 * Opens the store over `node:sqlite`.
 *
 * @throws Error `StartError` when the file is damaged, foreign, newer than this program or cannot be written
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const client = await openNodeSqlite(options.path)
  try {
    await prepareDatabase(client, options.path)
    // The thread alone writes: nothing here may wait for its lock.
    client.exec('PRAGMA query_only = ON')
  } catch (error) {
    client.close()
    throw error
  }
  return toStore(client, options)
}

/** The store over a connection that `prepareDatabase` has set up. */
function toStore(client: SqliteClient, { path, clock = systemClock }: SqliteStoreOptions): Store {
  const rows = createRowReader(client)
  const thread = createWriterThread({ path, readVersion: () => readDataVersion(client) })
  const queue = createWriteQueue({ clock, write: thread.write })
  const hints = createHints()
  const watch = createWatch(thread, hints)
  let closed = false

  const read = <T>(work: () => T): T => {
    if (closed) throw unavailable('store_closed')
    try {
      return work()
    } catch (error) {
      throw toStoreFault(error)
    }
  }
  const write = (piece: Piece): Promise<number> => {
    if (closed) throw unavailable('store_closed')
    return queue.add(piece)
  }

  return {
    async get(keys) {
      return read(() => rows.get(keys, clock.now()))
    },
    async commit(change) {
      verifyChange(change)
      if ((await write({ kind: 'commit', change })) === 0) return false
      hints.tell([...(change.delete ?? []), ...(change.set ?? []).map(({ key }) => key)])
      return true
    },
    async list(prefix, { after, limit = 100 } = {}) {
      const lower = after !== undefined && after >= prefix ? `${after}\0` : prefix
      return read(() => rows.list(prefix, lower, limit, clock.now()))
    },
    subscribe(prefix, listener) {
      const unsubscribe = hints.subscribe(prefix, listener)
      watch.start()
      return unsubscribe
    },
    isHearing: watch.isWell,
    async sweep(limit) {
      let swept = 0
      while (swept < limit) {
        const slice = Math.min(sweepSlice, limit - swept)
        const deleted = await write({ kind: 'sweep', limit: slice })
        swept += deleted
        if (deleted < slice) break
      }
      await returnPages({ client, read, write })
      return swept
    },
    async close() {
      if (closed) return
      closed = true
      watch.stop()
      await queue.drain()
      await thread.end()
      client.close()
    },
  }
}

/** Rows that one sweeping piece of work deletes at most, so that no commit waits long behind it. */
const sweepSlice = 100

/** Pages that one piece of work gives back at most: each means moving another one. */
const pageSlice = 32
/** Such pieces in one sweep. */
const pageSlices = 32

/** What giving pages back is done with. */
interface PageReturn {
  readonly client: SqliteClient
  readonly read: <T>(work: () => T) => T
  readonly write: (piece: Piece) => Promise<unknown>
}

/**
 * Gives pages that the sweep left empty back to the file system. One in fifty is kept for what comes next.
 */
async function returnPages({ client, read, write }: PageReturn): Promise<void> {
  for (let slice = 0; slice < pageSlices; slice++) {
    const free = read(() => Number(readPragma(client, 'freelist_count')))
    const kept = read(() => Number(readPragma(client, 'page_count'))) / 50
    if (free - kept < pageSlice) return
    await write({ kind: 'shrink', pages: pageSlice })
  }
}

/** How often other processes' commits are looked for while someone listens. */
const pollMilliseconds = 250
/** So many looks without an answer, and hints no longer come within a second. */
const fewLooks = 4

/** Tells the listeners when another process committed: the thread sees it, and does not take itself for one. */
function createWatch(thread: WriterThread, hints: Hints) {
  let timer: NodeJS.Timeout | undefined
  let unanswered = 0
  let isLooking = false

  const look = async (): Promise<void> => {
    isLooking = true
    try {
      if (await thread.look()) hints.tellAll()
      unanswered = 0
    } catch {
      // Neither reached nor read: the next look will tell.
    } finally {
      isLooking = false
    }
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  const tick = (): void => {
    if (!hints.any()) return stop()
    unanswered += 1
    if (!isLooking) void look()
  }
  const start = (): void => {
    timer ??= setInterval(tick, pollMilliseconds).unref()
  }
  return { start, stop, isWell: () => unanswered <= fewLooks }
}

/** Undefined while the file cannot be read. */
function readDataVersion(client: SqliteClient): unknown {
  try {
    return readPragma(client, 'data_version')
  } catch {
    return undefined
  }
}
