import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { type PostgresStoreOptions, postgresStore } from '../../src/storage/postgres.ts'
import { toNames, toStatements } from '../../src/storage/postgres-sql.ts'
import type { Store } from '../../src/storage/store.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { describeStore } from './contract.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

let tables = 0

function createTable(): string {
  tables += 1
  return `place_${tables}`
}

describeStore({
  name: 'postgresStore',
  shared: true,
  createPlace: async () => {
    const table = createTable()
    return {
      open: (clock) => postgresStore({ url: server.url, directUrl: server.url, clock, table }),
    }
  },
})

async function open(options: Partial<PostgresStoreOptions> = {}): Promise<Store> {
  const store = await postgresStore({ url: server.url, clock: systemClock, ...options })
  onTestFinished(() => store.close())
  return store
}

describe('postgresStore and its schema', () => {
  it('is created once by five that start at once (HA-09)', async () => {
    const table = createTable()
    const stores = await Promise.all(Array.from({ length: 5 }, () => open({ table })))
    const keys = stores.map((_, n) => `k/${n}`)
    const set = (key: string) => ({ set: [{ key, value: '1' }] })
    await Promise.all(stores.map((store, n) => store.commit(set(`k/${n}`))))
    for (const store of stores) {
      expect((await store.list('k/')).map(({ key }) => key)).toEqual(keys)
    }
    expect(await server.query(`SELECT version, oldest FROM ${table}_schema`)).toEqual([
      { version: 1, oldest: 1 },
    ])
  })

  it('goes on working after a newer Gatehouse has added to it (HA-08)', async () => {
    const table = createTable()
    await open({ table })
    await server.query(`ALTER TABLE ${table} ADD COLUMN later text DEFAULT 'x'`)
    await server.query(`UPDATE ${table}_schema SET version = 99`)
    const store = await open({ table })
    expect(await store.commit({ set: [{ key: 'a', value: '1' }] })).toBe(true)
    expect(await store.list('')).toEqual([{ key: 'a', value: '1', version: expect.any(Number) }])
    expect(await server.query(`SELECT version FROM ${table}_schema`)).toEqual([{ version: 99 }])
  })

  it('is used by a user who may not create anything, once somebody else has', async () => {
    const table = createTable()
    await open({ table })
    await server.query(`CREATE ROLE reader_writer LOGIN;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO reader_writer;
      GRANT SELECT ON ${table}_schema TO reader_writer;
      GRANT USAGE ON SEQUENCE ${table}_version TO reader_writer`)
    const store = await open({ table, url: server.urlOf('reader_writer') })
    expect(await store.commit({ set: [{ key: 'a', value: '1' }], delete: ['b'] })).toBe(true)
    expect(await store.sweep(1)).toBe(0)
  })

  it('lets several stores share a database', async () => {
    const [first, second] = [await open({ table: 'order' }), await open({ table: '_1' })]
    await first.commit({ set: [{ key: 'a', value: '1' }] })
    expect(await second.list('')).toEqual([])
  })
})

describe('postgresStore refuses to start', () => {
  const startError = (text: RegExp) => ({
    name: 'StartError',
    message: expect.stringMatching(text),
  })

  it.each([
    ['a table name with a quote', { table: 'a"; DROP TABLE b' }],
    ['a table name that would be truncated', { table: 'a'.repeat(49) }],
    ['an empty table name', { table: '' }],
    ['a URL of something else', { url: 'mysql://localhost/x' }],
    ['no URL', { url: 'localhost:5432' }],
    ['a direct URL of something else', { directUrl: 'redis://localhost' }],
    ['a pool without connections', { poolSize: 0 }],
  ])('with %s, as a mistake of the caller', async (_, options) => {
    await expect(open(options)).rejects.toThrow(TypeError)
  })

  it('without the package pg, and says how to get it', async () => {
    vi.doMock('pg', () => Promise.reject(new Error("Cannot find package 'pg'")))
    onTestFinished(() => vi.doUnmock('pg'))
    await expect(open()).rejects.toMatchObject(startError(/npm install pg/))
  })

  it('when nobody answers, naming the place and never the password', async () => {
    const url = `postgres://me:hunter2@127.0.0.1:1/things?sslmode=disable`
    const refusal = await open({ url }).catch((error) => error)
    expect(refusal).toMatchObject(startError(/127\.0\.0\.1:1\/things cannot be reached; check/))
    expect(refusal.message).not.toContain('hunter2')
    const direct = open({ directUrl: url })
    await expect(direct).rejects.toMatchObject(startError(/:1\/things cannot be reached/))
  })

  it('with a wrong password, and takes the right one', async () => {
    await server.query(
      `CREATE ROLE guarded LOGIN PASSWORD 'pass/word'; CREATE SCHEMA AUTHORIZATION guarded`,
    )
    const url = (password: string): string =>
      server.url.replace('postgres@', `guarded:${password}@`)
    const wrong = open({ url: url('other'), table: 'mine' })
    await expect(wrong).rejects.toMatchObject(startError(/refuses the user or the password/))
    const store = await open({ url: url('pass%2Fword'), table: 'mine' })
    expect(await store.commit({ set: [{ key: 'a', value: '1' }] })).toBe(true)
  })

  it('on a database that is not there', async () => {
    const missing = open({ url: server.urlOf('postgres', 'nowhere') })
    await expect(missing).rejects.toMatchObject(startError(/no database at .*\/nowhere; create it/))
  })

  it('over TLS on a server without it', async () => {
    const plain = open({ url: `${server.url}?sslmode=verify-full` })
    await expect(plain).rejects.toMatchObject(startError(/over TLS .*check sslmode/))
  })

  it('on a database in another encoding than UTF-8', async () => {
    await server.query(`CREATE DATABASE old ENCODING 'SQL_ASCII' TEMPLATE template0`)
    const old = open({ url: server.urlOf('postgres', 'old') })
    await expect(old).rejects.toMatchObject(startError(/encoding SQL_ASCII; create one/))
  })

  it('where transactions are stricter than the driver counts on', async () => {
    await server.query(`CREATE ROLE strict SUPERUSER LOGIN;
      ALTER ROLE strict SET default_transaction_isolation = 'repeatable read'`)
    const strict = open({ url: server.urlOf('strict') })
    await expect(strict).rejects.toMatchObject(startError(/set it to 'read committed'/))
  })

  it('without the right to create its table', async () => {
    await server.query('CREATE ROLE plain LOGIN')
    const plain = open({ url: server.urlOf('plain'), table: createTable() })
    await expect(plain).rejects.toMatchObject(
      startError(/does not let this user create or use .*grant/),
    )
  })

  it('on a table of another program', async () => {
    await server.query('CREATE TABLE theirs (a text)')
    const theirs = open({ table: 'theirs' })
    await expect(theirs).rejects.toMatchObject(startError(/tables of another program .*choose/))
    expect(await server.query(`SELECT to_regclass('theirs_schema') AS made`)).toEqual([
      { made: null },
    ])
  })

  it('when only a newer Gatehouse can work on the database (HA-08)', async () => {
    const table = createTable()
    await open({ table })
    await server.query(`UPDATE ${table}_schema SET version = 99, oldest = 98`)
    await expect(open({ table })).rejects.toMatchObject(startError(/needs a newer .*upgrade/))
  })
})

describe('postgresStore keeps text', () => {
  it.each([
    ['NUL', '"\0"'],
    ['a lone surrogate', '"\ud800"'],
  ])('refuses %s, which JSON escapes, as a mistake of the caller (TK-18)', async (_, value) => {
    const store = await open({ table: createTable() })
    const set = [{ key: 'a', value }]
    await expect(store.commit({ set })).rejects.toThrow(TypeError)
    const escaped = JSON.stringify(JSON.parse(JSON.stringify(value)))
    await store.commit({ set: [{ key: 'a', value: escaped }] })
    expect((await store.get(['a']))[0]?.value).toBe(escaped)
  })

  it('answers questions about keys that nobody can have written (TK-18)', async () => {
    const store = await open({ table: createTable() })
    await store.commit({ set: ['a', 'b/1', 'b/2'].map((key) => ({ key, value: '1' })) })
    const key = 'b/1\0\ud800'
    expect(await store.get([key])).toEqual([undefined])
    expect(await store.list(key)).toEqual([])
    expect((await store.list('b', { after: key })).map((entry) => entry.key)).toEqual(['b/2'])
    expect(await store.commit({ check: [{ key, version: null }] })).toBe(true)
    expect(await store.commit({ check: [{ key, version: 1 }] })).toBe(false)
  })

  it('refuses checks that contradict each other, and takes one that is repeated', async () => {
    const store = await open({ table: createTable() })
    const check = { key: 'a', version: null }
    expect(await store.commit({ check: [check, { key: 'a', version: 1 }] })).toBe(false)
    expect(await store.commit({ check: [check, check], set: [{ key: 'a', value: '1' }] })).toBe(
      true,
    )
  })
})

describe('postgresStore with 100,000 keys', () => {
  const fill = async (table: string, rows: number): Promise<void> => {
    await server.query(`INSERT INTO ${table} (key, value, version, expires_at)
      SELECT 'k/' || md5(n::text), 'x', nextval('${table}_version'), 1000 + n
      FROM generate_series(1, ${rows}) AS n`)
  }

  /** The 8 KiB blocks that the second call of each statement touches. */
  const countBlocks = async (table: string): Promise<Record<string, number>> => {
    const statements = toStatements(toNames(table))
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    const count = async (text: string, values: unknown[]): Promise<number> => {
      const explain = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`
      await client.query(explain, values)
      const { rows } = await client.query(explain, values)
      const { Plan: plan } = rows[0]['QUERY PLAN'][0]
      return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
    }
    const key = (n: number) => `k/${'0123456789abcdef'[n]}`
    const commit = [
      0,
      [0, 1],
      [key(1), key(2)],
      [0, null],
      ['x', 'x'],
      [null, null],
      [false, false],
    ]
    try {
      return {
        get: await count(statements.get, [[key(1), key(2), key(3)], 0]),
        list: await count(statements.list, ['k/', 'k/\x7f', key(9), 0, 20]),
        sweep: await count(statements.sweep, [1010, 5]),
        commit: await count(statements.commit, commit),
      }
    } finally {
      await client.end()
    }
  }

  it.each([
    ['never analyzed', ''],
    ['analyzed', 'ANALYZE '],
  ])('touches about as many blocks as with 1,000 (%s)', async (_, analyze) => {
    const [small, large] = [createTable(), createTable()]
    for (const table of [small, large]) await open({ table })
    await fill(small, 1000)
    await fill(large, 100_000)
    if (analyze) for (const table of [small, large]) await server.query(`ANALYZE ${table}`)
    const [few, many] = [await countBlocks(small), await countBlocks(large)]
    for (const [name, blocks] of Object.entries(many)) {
      expect(`${name} ${blocks <= 2 * (few[name] ?? 0) + 4}`, `${few[name]} → ${blocks}`).toBe(
        `${name} true`,
      )
    }
  })

  it('never reads the whole table, also on connections that knew it small', async () => {
    const table = createTable()
    const clock = { now: () => 5000 }
    const store = await postgresStore({ url: server.url, clock, table, poolSize: 2 })
    const use = async (key: string): Promise<void> => {
      await store.commit({ check: [{ key, version: null }], set: [{ key, value: '1' }] })
      const [entry] = await store.get([key, 'k/none'])
      const check = [{ key, version: entry?.version ?? null }]
      await store.commit({ check, set: [{ key, value: '2' }], delete: [`l/${key}`] })
      await store.list('k/', { after: key })
      await store.sweep(10)
    }
    await use('k/first')
    await server.query(`VACUUM (ANALYZE) ${table}`)
    for (let n = 0; n < 20; n++) await use(`k/before/${n}`)
    await fill(table, 100_000)
    for (let n = 0; n < 20; n++) await use(`k/after/${n}`)
    // Sessions report what they did when they end.
    await store.close()
    const readCounts = () =>
      server.query(`SELECT seq_tup_read + idx_tup_fetch < 20000 AS few, idx_scan > 100 AS by_index
        FROM pg_stat_user_tables WHERE relname = '${table}'`)
    await expect.poll(readCounts).toEqual([{ few: true, by_index: true }])
  })
})
