/** How a PostgreSQL database becomes, and stays, a Gatehouse store: what it must be, and its migrations. */
import {
  findSqlState,
  type PostgresConnection,
  type PostgresPool,
  type PostgresResult,
} from './postgres-client.ts'
import { type PostgresNames, toMigrations } from './postgres-sql.ts'
import { toStartError } from './start-error.ts'

/** Longest that one step of a migration, or waiting for another instance's, takes. */
const migrationMilliseconds = 60_000

/** Attempts to reach a server that is just starting, and the pause between them. */
const reachAttempts = 10
const reachPauseMilliseconds = 200

/**
 * Checks the database and brings it to the newest schema. Several instances may do so at once, also
 * of different versions (catalogue HA-08, HA-09).
 *
 * @throws Error `StartError` when it cannot be reached, is not fit to be a store, holds tables of
 *   another program, needs a newer Gatehouse, or may not be changed by this user
 */
export async function preparePostgres(
  pool: PostgresPool,
  names: PostgresNames,
  place: string,
): Promise<void> {
  const connection = await reach(pool, place)
  try {
    verifyServer(await readServer(connection), place)
    if ((await readVersion(connection, names, place)) < toMigrations(names).length) {
      await migrate(connection, names, place)
    }
    connection.release()
  } catch (error) {
    connection.release(true)
    throw explain(error, place)
  }
}

async function reach(pool: PostgresPool, place: string): Promise<PostgresConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.connect()
    } catch (error) {
      const mayPass = findSqlState(error) === isStarting || isUnreachable(error)
      if (!mayPass || attempt === reachAttempts) throw explain(error, place)
    }
    await new Promise((resolve) => setTimeout(resolve, reachPauseMilliseconds))
  }
}

/** The server is up and not ready yet. */
const isStarting = '57P03'

/** Whether nobody answered, which may change while the server starts. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return /^(ECONN|ETIMEDOUT|EAI_AGAIN)/.test(code) || error.message.includes('timeout')
}

interface Server {
  readonly release: number
  readonly is_replica: boolean
  readonly encoding: string
  readonly isolation: string
}

async function readServer(connection: PostgresConnection): Promise<Server> {
  const { rows } = await run(
    connection,
    `SELECT current_setting('server_version_num')::integer AS release,
       pg_is_in_recovery() AS is_replica,
       current_setting('server_encoding') AS encoding,
       current_setting('default_transaction_isolation') AS isolation`,
  )
  return rows[0] as Server
}

function verifyServer({ release, is_replica, encoding, isolation }: Server, place: string): void {
  if (release < 140_000) {
    throw toStartError(`The database ${place} is older than PostgreSQL 14; use a newer server`)
  }
  // What was just written must be read: never from a replica (catalogue SG-02).
  if (is_replica) {
    throw toStartError(`The database ${place} is a read-only replica; give the primary's address`)
  }
  if (encoding !== 'UTF8') {
    throw toStartError(
      `The database ${place} has the encoding ${encoding}; create one with ENCODING 'UTF8'`,
    )
  }
  // Under the stricter ones the loser of a race gets an error instead of the answer that it lost.
  if (isolation !== 'read committed') {
    throw toStartError(
      `The database ${place} has default_transaction_isolation = ${isolation}; set it to 'read committed' for Gatehouse's role (ALTER ROLE … SET …)`,
    )
  }
}

/**
 * How many migrations were applied; 0 when there is no schema. A later version is fine as long as it
 * says that this program can work on it: during a rolling upgrade the old instances must.
 */
async function readVersion(
  connection: PostgresConnection,
  names: PostgresNames,
  place: string,
): Promise<number> {
  // Not to_regclass: it may answer from before the lock, in the same transaction.
  const found = await run(
    connection,
    `SELECT EXISTS (
       SELECT FROM pg_tables WHERE tablename = $1 AND schemaname = ANY (current_schemas(false))
     ) AS found`,
    [names.schema.slice(1, -1)],
  )
  if (!(found.rows[0] as { found: boolean }).found) return 0
  const { rows } = await run(connection, `SELECT version, oldest FROM ${names.schema}`)
  const { version, oldest } = rows[0] as { version: number; oldest: number }
  const known = toMigrations(names).length
  if (oldest > known) {
    throw toStartError(
      `The database ${place} needs a newer Gatehouse (schema ${oldest}, this one knows ${known}); upgrade Gatehouse`,
    )
  }
  return version
}

/** All in one transaction, under a lock that lives as long as it: a pooler may be in between. */
async function migrate(
  connection: PostgresConnection,
  names: PostgresNames,
  place: string,
): Promise<void> {
  await run(connection, 'BEGIN')
  // As in the commit function: the tables must still be there after a crash.
  await run(connection, 'SET LOCAL synchronous_commit = on')
  await run(
    connection,
    `SELECT pg_advisory_xact_lock(hashtextextended('gatehouse ' || current_schema() || $1, 0))`,
    [names.table],
  )
  const version = await readVersion(connection, names, place)
  const migrations = toMigrations(names)
  if (version === 0) {
    await run(
      connection,
      `CREATE TABLE ${names.schema} (version integer NOT NULL, oldest integer NOT NULL);
       INSERT INTO ${names.schema} (version, oldest) VALUES (0, 1)`,
    )
  }
  for (const migration of migrations.slice(version)) await run(connection, migration)
  if (version < migrations.length) {
    await run(connection, `UPDATE ${names.schema} SET version = $1`, [migrations.length])
  }
  await run(connection, 'COMMIT')
}

function run(
  connection: PostgresConnection,
  text: string,
  values?: unknown[],
): Promise<PostgresResult> {
  const query = { text, query_timeout: migrationMilliseconds }
  return connection.query(values === undefined ? query : { ...query, values })
}

/** What the owner can do, by SQLSTATE. */
const remedies: readonly [RegExp, (place: string) => string][] = [
  [/^28/, (place) => `The database ${place} refuses the user or the password; check the URL`],
  [/^3D000$/, (place) => `There is no database at ${place}; create it`],
  [
    /^(42501|3F000)$/,
    (place) =>
      `The database ${place} does not let this user create or use the store's tables; grant CREATE on the schema, or have them created and grant their use`,
  ],
  [
    /^42P07$/,
    (place) =>
      `The database ${place} holds tables of another program under the same name; choose another table`,
  ],
]

/** The start error that a failure means. Also for a failure of the direct connection. */
export function explain(error: unknown, place: string): Error {
  if (error instanceof Error && error.name === 'StartError') return error
  const state = findSqlState(error)
  const message = error instanceof Error ? error.message : String(error)
  if (state !== undefined) {
    const remedy = remedies.find(([states]) => states.test(state))?.[1]
    const text = remedy?.(place) ?? `The database ${place} cannot be used: ${message}`
    return toStartError(text, error)
  }
  if (/certificate|SSL|TLS/.test(message)) {
    return toStartError(
      `The database ${place} cannot be reached over TLS (${message}); check sslmode and sslrootcert in the URL`,
      error,
    )
  }
  return toStartError(
    `The database ${place} cannot be reached; check that it runs and that the address is right`,
    error,
  )
}
