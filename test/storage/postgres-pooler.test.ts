import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { postgresStore } from '../../src/storage/postgres.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { describeStore } from './contract.ts'
import { createTestClock } from './fixtures.ts'
import { type Pooler, startPooler } from './postgres-pooler.ts'

let server: PostgresServer
let pooler: Pooler
beforeAll(async () => {
  server = await startPostgres()
  pooler = await startPooler(server.port)
})
afterAll(async () => {
  pooler.close()
  await server.stop()
})

let tables = 0

function createTable(): string {
  tables += 1
  return `pooled_${tables}`
}

describeStore({
  name: 'postgresStore behind a pooler in transaction mode',
  shared: true,
  createPlace: async () => {
    const table = createTable()
    return {
      open: (clock) => postgresStore({ url: pooler.url, directUrl: server.url, clock, table }),
    }
  },
})

async function open(table = createTable()) {
  const clock = createTestClock()
  const store = await postgresStore({ url: pooler.url, clock, table })
  onTestFinished(() => store.close())
  return { store, clock }
}

describe('postgresStore behind a pooler in transaction mode', () => {
  it('keeps nothing in a session: no settings, no named statements, no listening', async () => {
    const { store, clock } = await open()
    store.subscribe('a', () => {})
    const version = null
    await store.commit({ check: [{ key: 'a', version }], set: [{ key: 'a', value: '1' }] })
    await store.get(['a', 'b'])
    await store.list('a')
    clock.advance(1)
    await store.sweep(10)
    expect(pooler.names).toEqual([])
    const kept =
      /^\s*(SET (?!LOCAL)|RESET|LISTEN|PREPARE|DECLARE|DISCARD)\b|\bTEMP\b|pg_advisory_lock/i
    expect(pooler.statements.length).toBeGreaterThan(10)
    expect(pooler.statements.filter((statement) => kept.test(statement))).toEqual([])
  })

  it('makes one round trip per operation', async () => {
    const { store } = await open()
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      const before = pooler.countRoundTrips()
      await work()
      return pooler.countRoundTrips() - before
    }
    const keys = Array.from({ length: 50 }, (_, n) => `k/${n}`)
    expect(await count(() => store.get(keys))).toBe(1)
    expect(await count(() => store.list('k/'))).toBe(1)
    expect(await count(() => store.sweep(100))).toBe(1)
    const check = keys.map((key) => ({ key, version: null }))
    const set = keys.map((key) => ({ key, value: '1' }))
    expect(await count(() => store.commit({ check, set, delete: ['x'] }))).toBe(1)
  })

  it('hints half a second later without a direct URL, by asking, while someone listens', async () => {
    const table = createTable()
    const [{ store }, { store: other }] = [await open(table), await open(table)]
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const heard: string[] = []
    const stop = store.subscribe('ended/', (key) => heard.push(key))
    const look = async (): Promise<void> => {
      heard.length = 0
      vi.advanceTimersByTime(500)
      await vi.waitFor(() => expect(heard).toEqual(['ended/']))
    }
    await look()
    await other.commit({ set: [{ key: 'ended/1', value: '1' }] })
    await look()
    stop()
    vi.advanceTimersByTime(500)
    expect(vi.getTimerCount()).toBe(0)
  })
})
