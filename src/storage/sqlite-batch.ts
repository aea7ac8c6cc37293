/**
 * Group commit: pieces of work that arrive together share one transaction, and so one flush of the disk.
 *
 * Each piece still sees what the pieces before it did, decides by itself before it writes, and is
 * acknowledged only after the shared transaction is durable.
 */
import { findSqliteResult, rollBack, type SqliteClient } from './sqlite-client.ts'
import { createRowWriter, type RowWriter } from './sqlite-rows.ts'
import type { Commit } from './store.ts'

/** One piece of work. */
export type Piece =
  | { readonly kind: 'commit'; readonly change: Commit }
  /** Deletes so many expired rows at most. */
  | { readonly kind: 'sweep'; readonly limit: number }
  /** Gives so many empty pages back to the file system. */
  | { readonly kind: 'shrink'; readonly pages: number }

/** What shares a transaction, and the time that its expiries are judged by, in unix seconds. */
export interface Batch {
  readonly now: number
  readonly pieces: readonly Piece[]
}

/**
 * How often the write lock is asked for while another process holds it. Each time waits as long as the
 * busy timeout of the connection, 25 ms: about 5 s in all.
 */
const lockAttempts = 200

/**
 * Prepares a connection to write batches.
 *
 * @returns a function that writes one, blocking, and tells of each piece how much was done: of a commit
 *   1 or 0, of a sweep the rows. It throws SQLite's error; then nothing of the batch happened.
 */
export function createBatchWriter(client: SqliteClient): (batch: Batch) => number[] {
  const rows = createRowWriter(client)
  const begin = client.prepare('BEGIN IMMEDIATE')
  const commit = client.prepare('COMMIT')

  const takeLock = (): void => {
    for (let attempt = 1; ; attempt++) {
      try {
        begin.run()
        return
      } catch (error) {
        if (findSqliteResult(error) !== 'busy' || attempt === lockAttempts) throw error
      }
    }
  }
  return ({ now, pieces }) => {
    takeLock()
    try {
      const ports = { client, rows, takeVersion: createVersions(rows, pieces.length) }
      const done = pieces.map((piece) => writePiece(ports, piece, now))
      commit.run()
      return done
    } catch (error) {
      rollBack(client)
      throw error
    }
  }
}

/** What a piece is written with. */
interface PiecePorts {
  readonly client: SqliteClient
  readonly rows: RowWriter
  readonly takeVersion: () => number
}

/** Versions for the pieces of one transaction, taken from the database with the first of them. */
function createVersions(rows: RowWriter, count: number): () => number {
  let next: number | undefined
  return () => {
    const version = next ?? rows.reserveVersions(count)
    next = version + 1
    return version
  }
}

function writePiece({ client, rows, takeVersion }: PiecePorts, piece: Piece, now: number): number {
  if (piece.kind === 'commit') return Number(rows.apply(piece.change, now, takeVersion))
  if (piece.kind === 'sweep') return rows.sweep(piece.limit, now)
  client.exec(`PRAGMA incremental_vacuum(${piece.pages})`)
  return piece.pages
}
