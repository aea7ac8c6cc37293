/** How a SQLite file becomes, and stays, a Gatehouse database: settings and schema versions. */
import { setTimeout as sleep } from 'node:timers/promises'
import { findSqliteResult, rollBack, type SqliteClient } from './sqlite-client.ts'
import { toStartError } from './start-error.ts'

/** "Gate" in ASCII: marks the file as ours (`PRAGMA application_id`). */
const applicationId = 0x47617465

/**
 * The migration ladder: the n-th entry takes a file from schema version n to n + 1. Entries are never
 * edited once released; a change is a new entry.
 */
const migrations = [
  `CREATE TABLE entries (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     version INTEGER NOT NULL,
     expires_at INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
   CREATE TABLE sequence (last INTEGER NOT NULL) STRICT;
   INSERT INTO sequence (last) VALUES (0);`,
]

/** The schema version that this program makes. */
export const newestSchema = migrations.length

/**
 * Longest that one call waits, blocking, for another process to let go of the file, in milliseconds.
 * Short, because on the main thread everything else waits with it, and because SQLite asks ever more
 * rarely the longer it waits; whoever writes tries again.
 */
const busyTimeoutMilliseconds = 25

const openAttempts = 200
const openPauseMilliseconds = 25

/**
 * Sets up a fresh connection: durable WAL, our schema, the newest version of it. Several processes may
 * do so at once.
 *
 * @throws Error `StartError` when the file is damaged, of another program, of a newer Gatehouse, on a
 *   file system without WAL, or kept busy by another process
 */
export async function prepareDatabase(client: SqliteClient, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      client.exec(`PRAGMA busy_timeout = ${busyTimeoutMilliseconds}`)
      enablePageReturn(client)
      configureConnection(client, path)
      migrate(client, path)
      return
    } catch (error) {
      if (!isBusy(error) || attempt === openAttempts) throw explain(error, path)
    }
    await sleep(openPauseMilliseconds)
  }
}

/**
 * Sets what does not stay in the file, and WAL, which does.
 *
 * @throws Error `StartError` on a file system without WAL
 */
export function configureConnection(client: SqliteClient, path: string): void {
  client.exec(`PRAGMA busy_timeout = ${busyTimeoutMilliseconds}`)
  if (readPragma(client, 'journal_mode = WAL') !== 'wal') {
    throw toStartError(`The database ${path} is on a file system without WAL; use a local disk`)
  }
  // Acknowledged means durable, also across a power cut (catalogue SG-06).
  client.exec('PRAGMA synchronous = FULL')
  // Small checkpoints, often: commits wait behind one, at SQLite's 1 000 pages for 5 to 10 ms.
  client.exec('PRAGMA wal_autocheckpoint = 128')
}

/** What `auto_vacuum` reads as when pages can be given back one by one. */
const incremental = 2

/** Before the first table: afterwards it could not be changed without rewriting the file. */
function enablePageReturn(client: SqliteClient): void {
  // Setting it is a commit, which every process on the file would take for news.
  if (readPragma(client, 'auto_vacuum') === incremental) return
  client.exec(`PRAGMA auto_vacuum = ${incremental}`)
}

function migrate(client: SqliteClient, path: string): void {
  client.exec('BEGIN IMMEDIATE')
  try {
    verifyOurs(client, path)
    const version = Number(readPragma(client, 'user_version'))
    if (version > newestSchema) {
      throw toStartError(
        `The database ${path} was written by a newer Gatehouse (schema ${version}, this one knows ${newestSchema}); upgrade Gatehouse`,
      )
    }
    if (version < newestSchema) climb(client, version)
    client.exec('COMMIT')
  } catch (error) {
    rollBack(client)
    throw error
  }
}

function climb(client: SqliteClient, version: number): void {
  for (const migration of migrations.slice(version)) client.exec(migration)
  client.exec(`PRAGMA application_id = ${applicationId}`)
  client.exec(`PRAGMA user_version = ${newestSchema}`)
}

/**
 * Makes sure that a file is ours, or empty.
 *
 * @throws Error `StartError` when it belongs to another program
 */
export function verifyOurs(client: SqliteClient, path: string): void {
  if (Number(readPragma(client, 'application_id')) === applicationId) return
  if (client.prepare('SELECT name FROM sqlite_schema LIMIT 1').get() === undefined) return
  throw toStartError(`The database ${path} belongs to another program; choose another file`)
}

/** The first column of the first row that a pragma answers with. */
export function readPragma(client: SqliteClient, pragma: string): unknown {
  return Object.values(client.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]
}

function isBusy(error: unknown): boolean {
  return ['busy', 'locked'].includes(findSqliteResult(error) ?? '')
}

function explain(error: unknown, path: string): unknown {
  const result = findSqliteResult(error)
  if (result === undefined) return error
  if (result === 'busy' || result === 'locked') {
    return toStartError(`The database ${path} is kept locked by another process; end it`, error)
  }
  if (result === 'corrupt' || result === 'notadb') {
    return toStartError(
      `The database ${path} is damaged or not a database; restore it from a backup or choose another file`,
      error,
    )
  }
  return toStartError(`The database ${path} cannot be used (SQLite says ${result})`, error)
}
