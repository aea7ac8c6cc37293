/**
 * Every statement of the PostgreSQL driver, made for a table. One per operation: one round trip each.
 *
 * Times are unix seconds and come from the caller's clock, never from the database.
 */

/** The names of what a store consists of, quoted for SQL. */
export interface PostgresNames {
  /** The rows. Also the channel of the hints. */
  readonly table: string
  readonly expiry: string
  readonly sequence: string
  readonly commit: string
  /** One row: which migrations were applied. */
  readonly schema: string
}

/** Long enough for a name, short enough that PostgreSQL (63 bytes) truncates none made from it. */
const plainName = /^[a-z_][a-z0-9_]{0,47}$/

/**
 * The names that belong to a table.
 *
 * @throws TypeError unless the table's name is a small letter or underscore followed by at most 47
 *   small letters, digits and underscores
 */
export function toNames(table: string): PostgresNames {
  if (!plainName.test(table)) {
    throw new TypeError(
      `The table name ${JSON.stringify(table)} must be small letters, digits and underscores, at most 48`,
    )
  }
  return {
    table: `"${table}"`,
    expiry: `"${table}_expiry"`,
    sequence: `"${table}_version"`,
    commit: `"${table}_commit"`,
    schema: `"${table}_schema"`,
  }
}

/** The statements. Parameters are described by what `postgres.ts` passes. */
export interface PostgresStatements {
  readonly get: string
  readonly list: string
  readonly commit: string
  readonly sweep: string
  /** Answers with the same text until a transaction of anyone on the server ends. */
  readonly look: string
  readonly notify: string
  readonly listen: string
}

/** The statements over a table. */
export function toStatements(names: PostgresNames): PostgresStatements {
  const { table, commit } = names
  return {
    get: `SELECT key, value, version FROM ${table}
      WHERE key = ANY ($1::text[]) AND (expires_at IS NULL OR expires_at > $2)`,
    list: `SELECT key, value, version, expires_at FROM ${table}
      WHERE key >= $1 AND key < $2 AND key > $3 AND (expires_at IS NULL OR expires_at > $4)
      ORDER BY key LIMIT $5`,
    commit: `SELECT ${commit}($1, $2, $3, $4, $5, $6, $7) AS refused`,
    // Rows that a commit is just writing are left to the next sweep; so neither waits for the other.
    sweep: `DELETE FROM ${table} WHERE key = ANY (ARRAY(
        SELECT key FROM ${table} WHERE expires_at <= $1
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    look: 'SELECT pg_current_snapshot()::text AS seen',
    notify: `SELECT pg_notify('${table.slice(1, -1)}', payload) FROM unnest($1::text[]) AS payload`,
    listen: `LISTEN ${table}`,
  }
}

/**
 * The migration ladder: the n-th entry takes a schema from version n to n + 1, in one transaction.
 * Entries are never edited once released, and only add: a Gatehouse of the version before goes on
 * working on the result (catalogue HA-08).
 */
export function toMigrations(names: PostgresNames): readonly string[] {
  return [`${createTables(names)};\n${createCommit(names)}`]
}

function createTables({ table, expiry, sequence }: PostgresNames): string {
  return `
    CREATE TABLE ${table} (
      key text COLLATE "C" PRIMARY KEY,
      value text NOT NULL,
      version bigint NOT NULL,
      expires_at bigint
    ) WITH (autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX ${expiry} ON ${table} (expires_at) WHERE expires_at IS NOT NULL;
    CREATE SEQUENCE ${sequence}`
}

/**
 * Any number of commits, as a function, so that they are one round trip and its plans are kept. Each
 * decides for itself: one that is refused changes nothing, and the others go on.
 *
 * @returns (of the function) the numbers of those that were refused
 *
 * The arrays describe one key per position, in byte order, and which commit it belongs to; no key
 * belongs to two. Claiming is one statement: each key in turn is either inserted or, where it exists,
 * locked and left as it is. A transaction thus waits only for keys after those it holds, so no two wait
 * for each other; and a key that must not exist is as exclusive as one that does. Everything after the
 * claim sees what the transactions waited for have left, provided that the isolation is read committed.
 *
 * Plans are made once and kept, perhaps while the table is small: `key = ANY (keys)` and the settings
 * leave none that reads more of it than these keys.
 *
 * Versions are one sequence over all keys: none comes back, even after a delete. They begin at 1; in
 * `checks` 0 says that the key must not exist and null that it may be anything. In `contents` null
 * says that the key is not set.
 */
function createCommit({ table, sequence, commit }: PostgresNames): string {
  return `
    CREATE FUNCTION ${commit} (
      moment bigint, commits integer[], keys text[], checks bigint[], contents text[],
      expiries bigint[], drops boolean[]
    ) RETURNS integer[] LANGUAGE plpgsql
      SET search_path FROM CURRENT
      SET lock_timeout = '1s'
      SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off
    AS $commit$
    DECLARE
      mine CONSTANT bigint := nextval('${sequence}');
      claimed integer;
      refused integer[];
    BEGIN
      -- Acknowledged means durable, whatever the database's default is (catalogue SG-06).
      IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
      END IF;

      INSERT INTO ${table} AS entry (key, value, version, expires_at)
        SELECT line.key, coalesce(line.content, ''), mine, line.expiry
        FROM unnest(keys, contents, expiries) AS line (key, content, expiry)
        ORDER BY line.key COLLATE "C"
        ON CONFLICT (key) DO UPDATE SET version = entry.version WHERE false;
      GET DIAGNOSTICS claimed = ROW_COUNT;

      refused := ARRAY(
        SELECT DISTINCT line.commit FROM unnest(commits, keys, checks) AS line (commit, key, wanted)
        JOIN ${table} AS entry ON entry.key = line.key
        WHERE entry.key = ANY (keys) AND line.wanted <> CASE
          WHEN entry.version = mine OR entry.expires_at <= moment THEN 0 ELSE entry.version END
      );
      IF refused <> '{}' THEN
        DELETE FROM ${table} AS entry USING unnest(commits, keys) AS line (commit, key)
          WHERE entry.key = ANY (keys) AND entry.key = line.key
            AND line.commit = ANY (refused) AND entry.version = mine;
      END IF;

      IF claimed < cardinality(keys) THEN
        UPDATE ${table} AS entry SET value = line.content, version = mine, expires_at = line.expiry
          FROM unnest(commits, keys, contents, expiries) AS line (commit, key, content, expiry)
          WHERE entry.key = ANY (keys) AND entry.key = line.key AND line.commit <> ALL (refused)
            AND line.content IS NOT NULL AND entry.version <> mine;
      END IF;
      IF array_position(contents, NULL) IS NOT NULL THEN
        DELETE FROM ${table} AS entry
          USING unnest(commits, keys, contents, drops) AS line (commit, key, content, dropped)
          WHERE entry.key = ANY (keys) AND entry.key = line.key AND line.commit <> ALL (refused)
            AND line.content IS NULL AND (line.dropped OR entry.version = mine);
      END IF;
      RETURN refused;
    END
    $commit$`
}
