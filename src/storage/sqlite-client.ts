/**
 * The part of a SQLite client that the driver calls, and how `node:sqlite` is brought to it.
 *
 * The types are structural: `node:sqlite` and `better-sqlite3` both satisfy them.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { unavailable } from '../errors.ts'
import { toStartError } from './start-error.ts'

/** What is bound and read. */
export type SqlValue = string | number | null

/** A prepared statement. */
export interface SqliteStatement {
  get(...values: SqlValue[]): unknown
  all(...values: SqlValue[]): unknown[]
  run(...values: SqlValue[]): { changes: number | bigint }
}

/** A connection. Its calls block, so each must be short. */
export interface SqliteClient {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/**
 * Opens a database file over `node:sqlite`, creating it (0600) and its folder (0700).
 *
 * @throws Error `StartError` when the file cannot be created or opened
 */
export async function openNodeSqlite(path: string): Promise<SqliteClient> {
  const { DatabaseSync } = await importNodeSqlite()
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // SQLite gives its -wal and -shm files the mode of this one.
    closeSync(openSync(path, 'a', 0o600))
    return new DatabaseSync(path)
  } catch (cause) {
    throw toStartError(
      `The database ${path} cannot be opened; check that its folder exists and may be written`,
      cause,
    )
  }
}

/** Imports `node:sqlite` without the ExperimentalWarning that Node 22 prints; others pass. */
export async function importNodeSqlite() {
  const emitWarning = process.emitWarning
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (String(warning).includes('SQLite is an experimental feature')) return
    Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

/** SQLite's primary result codes that an owner can do something about (sqlite.org/rescode.html). */
const resultNames = new Map([
  [5, 'busy'],
  [6, 'locked'],
  [7, 'no_memory'],
  [8, 'read_only'],
  [10, 'ioerr'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'cantopen'],
  [26, 'notadb'],
])

/** The lower-case name of SQLite's primary result code; undefined when SQLite did not raise this. */
export function findSqliteResult(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') {
    return resultNames.get(error.errcode & 0xff) ?? 'error'
  }
  if (!('code' in error) || typeof error.code !== 'string') return undefined
  return /^SQLITE_([A-Z]+)/.exec(error.code)?.[1]?.toLowerCase()
}

/** `temporarily_unavailable` with reason `store_<result>` for SQLite's own errors; any other as it is. */
export function toStoreFault(error: unknown): unknown {
  const result = findSqliteResult(error)
  return result === undefined ? error : unavailable(`store_${result}`, error)
}

/** Undoes the open transaction. On FULL and IOERR SQLite may have done so itself: then there is none. */
export function rollBack(client: SqliteClient): void {
  try {
    client.exec('ROLLBACK')
  } catch (error) {
    if (findSqliteResult(error) === undefined) throw error
  }
}
