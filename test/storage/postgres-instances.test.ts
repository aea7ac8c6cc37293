import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { type PostgresStoreOptions, postgresStore } from '../../src/storage/postgres.ts'
import type { Store } from '../../src/storage/store.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { refusal } from './fixtures.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

let tables = 0

/** Two instances on one store, each with a pool of its own. */
async function openTwo(options: Partial<PostgresStoreOptions> = {}) {
  tables += 1
  const table = `shared_${tables}`
  const open = async (): Promise<Store> => {
    const { url } = server
    const store = await postgresStore({
      url,
      directUrl: url,
      clock: systemClock,
      table,
      ...options,
    })
    onTestFinished(() => store.close())
    return store
  }
  return { table, stores: [await open(), await open()] as const }
}

/** Somebody else's transaction, which is undone after some seconds. */
function hold(statement: string, seconds: number) {
  const ended = server.query(`BEGIN; ${statement}; SELECT pg_sleep(${seconds}); ROLLBACK`)
  const isHeld = `SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`
  const begun = vi.waitFor(async () => expect(await server.query(isHeld)).toHaveLength(1))
  return { begun, ended }
}

/** Numbers that look random and are the same in every run. */
function createNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('postgresStore in two instances', () => {
  it('gives each of twenty codes to one of fifty writers, with all it stands for (SG-01)', async () => {
    const { stores } = await openTwo()
    for (let round = 0; round < 20; round++) {
      const attempts = Array.from({ length: 50 }, (_, writer) =>
        stores[writer % 2 === 0 ? 0 : 1].commit({
          check: [{ key: `code/${round}`, version: null }],
          set: [
            { key: `code/${round}`, value: `${writer}` },
            { key: `won/${round}/${writer}`, value: '1' },
          ],
        }),
      )
      const winners = (await Promise.all(attempts)).flatMap((won, writer) => (won ? [writer] : []))
      expect(winners).toHaveLength(1)
      const [code] = await stores[0].get([`code/${round}`])
      const won = await stores[1].list(`won/${round}/`)
      expect([code?.value]).toEqual(winners.map(String))
      expect(won.map(({ key }) => key)).toEqual(winners.map((writer) => `won/${round}/${writer}`))
    }
  })

  it('lets one of two win that each check what the other writes', async () => {
    const { stores } = await openTwo()
    for (let round = 0; round < 50; round++) {
      const [a, b] = [`${round}/a`, `${round}/b`]
      const crossed = [
        stores[0].commit({ check: [{ key: a, version: null }], set: [{ key: b, value: '1' }] }),
        stores[1].commit({ check: [{ key: b, version: null }], set: [{ key: a, value: '1' }] }),
      ]
      expect((await Promise.all(crossed)).filter((won) => won)).toHaveLength(1)
    }
  })

  it('never deadlocks, however keys overlap (SG-18)', async () => {
    const { stores, table } = await openTwo()
    const pick = createNumbers(1)
    const keys = Array.from({ length: 12 }, (_, n) => `k/${n}`)
    const pickKeys = (): string[] =>
      keys
        .map((key) => ({ key, at: pick(1000) }))
        .sort((a, b) => a.at - b.at)
        .map(({ key }) => key)
    const write = (store: Store): Promise<boolean> => {
      const [a = '', b = '', c = '', d = '', e = ''] = pickKeys()
      const set = [a, b].map((key) => ({ key, value: '1', expiresAt: pick(2) ? 1 : undefined }))
      return store.commit({ check: [{ key: e, version: null }], set, delete: [c, d] })
    }
    const count = 1000
    const writes = Array.from({ length: count }, (_, n) => write(stores[n % 2 === 0 ? 0 : 1]))
    const sweeps = Array.from({ length: 50 }, () => stores[pick(2) ? 0 : 1].sweep(5))
    const [results] = await Promise.all([Promise.all(writes), Promise.all(sweeps)])
    expect(results).toHaveLength(count)
    expect(new Set(results)).toEqual(new Set([true, false]))
    // A retry would hide one: the server counts them, once the sessions have ended.
    for (const store of stores) await store.close()
    const [row] = await server.query(
      `SELECT deadlocks::integer, (SELECT count(*)::integer FROM ${table} WHERE value = '') AS left
       FROM pg_stat_database WHERE datname = 'postgres'`,
    )
    expect(row).toEqual({ deadlocks: 0, left: 0 })
  })

  it('sweeps around what is just being written, and waits for nothing (SG-15)', async () => {
    const { stores, table } = await openTwo()
    const set = ['a', 'b', 'c'].map((key) => ({ key, value: '1', expiresAt: 1 }))
    await stores[0].commit({ set })
    const held = hold(`UPDATE ${table} SET value = '2' WHERE key = 'b'`, 2)
    await held.begun
    expect(await stores[0].sweep(10)).toBe(2)
    await held.ended
    expect(await stores[1].sweep(10)).toBe(1)
  })

  it('answers 503 within seconds while a lock is held or no connection is free (SG-18)', async () => {
    const { stores, table } = await openTwo({ poolSize: 1 })
    await stores[0].commit({ set: [{ key: 'a', value: '1' }] })
    const held = hold(`UPDATE ${table} SET value = '2'`, 5)
    await held.begun
    const blocked = stores[0].commit({ set: [{ key: 'a', value: '3' }] })
    const waiting = stores[0].get(['a'])
    const free = await stores[1].get(['a'])
    expect(free[0]?.value).toBe('1')
    const [first, second] = await Promise.allSettled([blocked, waiting])
    expect(first).toMatchObject({ reason: refusal('temporarily_unavailable', 'store_contended') })
    expect(second.status === 'fulfilled' || second.reason.status === 503).toBe(true)
    await held.ended
    expect((await stores[0].get(['a']))[0]?.value).toBe('1')
  })
})

describe('postgresStore hints', () => {
  it('at each key, to every instance, within a second', async () => {
    const { stores } = await openTwo()
    const heard: string[] = []
    stores[1].subscribe('ended/', (key) => heard.push(key))
    await stores[0].commit({ set: [{ key: 'ended/1', value: '1' }], delete: ['ended/2', 'other'] })
    await vi.waitFor(() => expect(heard.sort()).toEqual(['ended/1', 'ended/2']), 1000)
  })

  it('at very many keys by the prefix', async () => {
    const { stores } = await openTwo()
    const heard = new Set<string>()
    stores[1].subscribe('e/', (key) => heard.add(key))
    const keys = Array.from({ length: 300 }, (_, n) => `e/${'x'.repeat(500)}${n}`)
    await stores[0].commit({ set: keys.map((key) => ({ key, value: '1' })) })
    await vi.waitFor(() => expect([...heard]).toEqual(['e/']), 1000)
  })

  it('still come when the process closes right after the commit', async () => {
    const { stores } = await openTwo()
    const heard: string[] = []
    stores[1].subscribe('ended/', (key) => heard.push(key))
    await stores[0].commit({ set: [{ key: 'ended/1', value: '1' }] })
    await stores[0].close()
    await vi.waitFor(() => expect(heard).toEqual(['ended/1']), 1000)
  })

  it('by the prefix after the listening connection was lost, then at each key again', async () => {
    const { stores } = await openTwo()
    const heard: string[] = []
    stores[1].subscribe('ended/', (key) => heard.push(key))
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`
    expect(await server.query(cut)).toHaveLength(2)
    await stores[0].commit({ set: [{ key: 'ended/1', value: '1' }] })
    await vi.waitFor(() => expect(heard.at(-1)).toBe('ended/'), 1000)
    heard.length = 0
    await vi.waitFor(async () => {
      await stores[0].commit({ set: [{ key: 'ended/2', value: '1' }] })
      expect(heard.at(-1)).toBe('ended/2')
    }, 2000)
  })
})
