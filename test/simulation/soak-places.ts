/**
 * Where a soak takes place, of every driver, and how much room it takes up there. All are thrown away
 * afterwards; none is durable but SQLite, which always is.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/platform/clock.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { postgresStore } from '../../src/storage/postgres.ts'
import { redisStore } from '../../src/storage/redis.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { openNodeSqlite } from '../../src/storage/sqlite-client.ts'
import { readPragma } from '../../src/storage/sqlite-schema.ts'
import type { Store } from '../../src/storage/store.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'

/** An empty store in a place of its own. */
export interface SoakPlace {
  readonly store: Store
  /** Whether it gives the room of what is gone back to the system, rather than keep it for what will come. */
  readonly givesBack: boolean
  /** What the database does by itself now and then, going by a clock that no test moves. */
  tidy(): Promise<void>
  /** Bytes that the rows take up, indexes included; undefined where they are in our own memory. */
  readSize(): Promise<number | undefined>
  /** Closes the store and removes the place. */
  close(): Promise<void>
}

/** Makes a place of a driver. */
export type SoakPlaceMaker = (clock: Clock) => Promise<SoakPlace>

/** All drivers. */
export const soakPlaces = {
  memory: createMemoryPlace,
  sqlite: createSqlitePlace,
  postgres: createPostgresPlace,
  redis: createRedisPlace,
} satisfies Record<string, SoakPlaceMaker>

async function createMemoryPlace(clock: Clock): Promise<SoakPlace> {
  const store = memoryStore({ clock })
  return {
    store,
    givesBack: true,
    tidy: async () => {},
    readSize: async () => undefined,
    close: store.close,
  }
}

async function createSqlitePlace(clock: Clock): Promise<SoakPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-soak-'))
  const path = join(folder, 'gatehouse.db')
  const store = await sqliteStore({ path, clock })
  return {
    store,
    givesBack: true,
    tidy: async () => {},
    readSize: () => readPages(path),
    async close() {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The file as it is once the write-ahead log has gone into it. */
async function readPages(path: string): Promise<number> {
  const client = await openNodeSqlite(path)
  try {
    return Number(readPragma(client, 'page_count')) * Number(readPragma(client, 'page_size'))
  } finally {
    client.close()
  }
}

async function createPostgresPlace(clock: Clock): Promise<SoakPlace> {
  const server = await startPostgres()
  const store = await postgresStore({ url: server.url, clock })
  return {
    store,
    // Of a table only its end is given back, of an index nothing.
    givesBack: false,
    // What autovacuum does; months of the soak are over before it wakes.
    tidy: async () => void (await server.query('VACUUM ANALYZE gatehouse')),
    async readSize() {
      const [row] = await server.query(`SELECT pg_total_relation_size('gatehouse') AS size`)
      return Number(row?.size)
    },
    async close() {
      await store.close()
      await server.stop()
    },
  }
}

async function createRedisPlace(clock: Clock): Promise<SoakPlace> {
  const server = await startRedis({ appendonly: 'no' })
  const store = await redisStore({ url: server.url, clock, onWeakDurability: 'warn' })
  return {
    store,
    givesBack: true,
    tidy: async () => {},
    async readSize() {
      const memory = String(await server.command('INFO', 'memory'))
      return Number(/used_memory_dataset:(\d+)/.exec(memory)?.[1])
    },
    async close() {
      await store.close()
      await server.close()
    },
  }
}
