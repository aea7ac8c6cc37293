/** What is known of a PostgreSQL store from outside of a running one. */
import { loadPostgres, type PostgresListener, toConfig, toPlace } from './postgres-client.ts'
import { explain } from './postgres-schema.ts'
import { type PostgresNames, toMigrations, toNames } from './postgres-sql.ts'
import type { StoreReport } from './store-report.ts'

/**
 * Describes the store of a table without creating or migrating it.
 *
 * @throws Error `StartError` when the database cannot be reached or refuses us
 */
export async function describePostgres(options: {
  url: string
  table: string
}): Promise<StoreReport> {
  const { Client } = await loadPostgres()
  const names = toNames(options.table)
  const client = new Client(toConfig(options.url))
  client.on('error', () => {})
  try {
    await client.connect()
    return await describe(client, names)
  } catch (error) {
    throw explain(error, toPlace(options.url))
  } finally {
    await client.end().catch(() => {})
  }
}

async function describe(client: PostgresListener, names: PostgresNames): Promise<StoreReport> {
  const read = async <T>(text: string): Promise<T> => (await client.query({ text })).rows[0] as T
  const newestSchema = toMigrations(names).length
  const settings = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes']
  const columns = settings.map((name) => `current_setting('${name}') AS ${name}`)
  const durability = await read<Record<string, string>>(`SELECT ${columns.join(', ')}`)
  const { now } = await read<{ now: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 AS now',
  )
  const common = { newestSchema, durability, now }
  const { found } = await read<{ found: boolean }>(
    `SELECT to_regclass('${names.schema}') IS NOT NULL AS found`,
  )
  if (!found) return { ...common, schema: undefined, rows: 0, sizeBytes: undefined }
  const { version } = await read<{ version: number }>(`SELECT version FROM ${names.schema}`)
  const { rows, size } = await read<{ rows: string; size: string }>(
    `SELECT count(*) AS rows, pg_total_relation_size('${names.table}') AS size FROM ${names.table}`,
  )
  return { ...common, schema: version, rows: Number(rows), sizeBytes: Number(size) }
}
