/** Every driver with a real store behind it, which several instances can open. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/platform/clock.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { postgresStore } from '../../src/storage/postgres.ts'
import { redisStore } from '../../src/storage/redis.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { hasRedis, startRedis } from '../helpers/redis.ts'

/** A store, empty at first. */
export interface Place {
  /** A handle of its own for each instance. */
  open(clock: Clock): Promise<Store>
  /** How the command line finds it; undefined where it cannot. */
  readonly env: Record<string, string> | undefined
}

/** What the stores of one driver are in. */
export interface Server {
  create(): Place
  stop(): Promise<void>
}

/** A driver. */
export interface Driver {
  readonly name: string
  readonly isMissing: boolean
  start(): Promise<Server>
}

let created = 0

/** Sets a store apart from the others on the same server. */
function nameAnew(): string {
  created += 1
  return `instances_${created}`
}

const memory: Driver = {
  name: 'memory',
  isMissing: false,
  start: async () => ({
    create() {
      let shared: Store | undefined
      return {
        open: async (clock) => (shared ??= memoryStore({ clock })),
        env: undefined,
      }
    },
    stop: async () => {},
  }),
}

const sqlite: Driver = {
  name: 'SQLite',
  isMissing: false,
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-instances-'))
    return {
      create() {
        const path = join(folder, `${nameAnew()}.db`)
        return {
          open: (clock) => sqliteStore({ path, clock }),
          env: { GATEHOUSE_STORE: `sqlite:${path}` },
        }
      },
      stop: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}

const postgres: Driver = {
  name: 'PostgreSQL',
  isMissing: false,
  async start() {
    const { url, stop } = await startPostgres()
    return {
      create() {
        const table = nameAnew()
        return {
          open: (clock) => postgresStore({ url, directUrl: url, clock, table }),
          env: { GATEHOUSE_STORE: url, GATEHOUSE_STORE_PREFIX: table },
        }
      },
      stop,
    }
  },
}

const redis: Driver = {
  name: 'Redis',
  isMissing: !hasRedis,
  async start() {
    const { url, close } = await startRedis()
    return {
      create() {
        const prefix = nameAnew()
        return {
          open: (clock) => redisStore({ url, clock, prefix }),
          env: { GATEHOUSE_STORE: url, GATEHOUSE_STORE_PREFIX: prefix },
        }
      },
      stop: close,
    }
  },
}

export const drivers: readonly Driver[] = [memory, sqlite, postgres, redis]
