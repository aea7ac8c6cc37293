/** What is known of a SQLite file from outside of a running store, and its backup. */
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { importNodeSqlite, openNodeSqlite, type SqliteClient } from './sqlite-client.ts'
import { newestSchema, readPragma, verifyOurs } from './sqlite-schema.ts'
import { toStartError } from './start-error.ts'
import type { StoreReport } from './store-report.ts'

/**
 * Describes the file without creating or migrating it.
 *
 * @throws Error `StartError` when it belongs to another program
 */
export async function describeSqlite(path: string): Promise<StoreReport> {
  const nothing = { schema: undefined, newestSchema, rows: 0, sizeBytes: undefined, durability: {} }
  if (!existsSync(path)) return nothing
  const client = await openNodeSqlite(path)
  try {
    verifyOurs(client, path)
    const schema = Number(readPragma(client, 'user_version'))
    if (schema === 0) return nothing
    const pages = Number(readPragma(client, 'page_count'))
    return {
      schema,
      newestSchema,
      rows: countRows(client),
      sizeBytes: pages * Number(readPragma(client, 'page_size')),
      // The driver sets FULL on each of its connections; the file itself keeps only the journal mode.
      durability: { journal_mode: String(readPragma(client, 'journal_mode')), synchronous: 'full' },
    }
  } finally {
    client.close()
  }
}

function countRows(client: SqliteClient): number {
  return Number(
    (client.prepare('SELECT count(*) AS rows FROM entries').get() as { rows: number }).rows,
  )
}

/** Pages that one step of a backup copies, on a thread of its own. */
const pagesPerStep = 256

/**
 * Copies the database into a new file while others use it, as it was at one moment.
 *
 * A backup starts over whenever somebody writes, unless a read transaction holds its source still; WAL
 * lets the others write on meanwhile.
 *
 * @param onProgress is told how many pages there are and how many are done
 * @throws Error `StartError` when the copy is not sound
 */
export async function backupSqlite(
  path: string,
  to: string,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const { backup, DatabaseSync } = await importNodeSqlite()
  const draft = `${to}.partial`
  rmSync(draft, { force: true })
  const source = new DatabaseSync(path, { readOnly: true })
  try {
    verifyOurs(source, path)
    source.exec('BEGIN')
    source.prepare('SELECT last FROM sequence').get()
    await backup(source, draft, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) =>
        onProgress(totalPages - remainingPages, totalPages),
    })
    source.exec('COMMIT')
    chmodSync(draft, 0o600)
    verifySound(new DatabaseSync(draft), to)
    renameSync(draft, to)
  } finally {
    source.close()
    for (const rest of ['', '-wal', '-shm']) rmSync(draft + rest, { force: true })
  }
}

/** Closing it also leaves everything in the one file. */
function verifySound(copy: SqliteClient, place: string): void {
  try {
    const found = String(readPragma(copy, 'quick_check'))
    if (found !== 'ok') throw toStartError(`The backup ${place} is not sound (${found}); try again`)
  } finally {
    copy.close()
  }
}
