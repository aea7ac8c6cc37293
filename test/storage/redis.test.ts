import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { redisStore } from '../../src/storage/redis.ts'
import {
  hasRedis,
  joinRedisNodes,
  type RedisServer,
  startRedis,
  startRedisNode,
} from '../helpers/redis.ts'
import { describeStore } from './contract.ts'
import { createTestClock } from './fixtures.ts'

describe.skipIf(!hasRedis)('on one server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())

  describeStore({
    name: 'redisStore',
    shared: true,
    createPlace: async () => {
      const prefix = `test-${randomUUID()}`
      return { open: (clock) => redisStore({ url: server.url, clock, prefix }) }
    },
  })

  async function start() {
    const prefix = `test-${randomUUID()}`
    const clock = createTestClock()
    const store = await redisStore({ url: server.url, clock, prefix })
    onTestFinished(() => store.close())
    const count = async (): Promise<unknown[]> => [
      await server.command('ZCARD', `{${prefix}}:names`),
      await server.command('ZCARD', `{${prefix}}:expiries`),
    ]
    const evict = (key: string): Promise<unknown> =>
      server.command('DEL', `{${prefix}}:entry:${key}`)
    const readEviction = async (key: string): Promise<number> =>
      Number(await server.command('PTTL', `{${prefix}}:entry:${key}`))
    return { store, clock, prefix, count, evict, readEviction }
  }

  it('lets Redis evict a value only a day after it expired, counted by our clock (HA-02)', async () => {
    const { store, clock, readEviction } = await start()
    await store.commit({ set: [{ key: 'a', value: '1', expiresAt: clock.now() + 60 }] })
    const wanted = (60 + 86_400) * 1000
    expect(await readEviction('a')).toBeLessThanOrEqual(wanted)
    expect(await readEviction('a')).toBeGreaterThan(wanted - 60_000)
    await store.commit({ set: [{ key: 'a', value: '1', expiresAt: Number.MAX_SAFE_INTEGER }] })
    expect(await store.get(['a'])).toMatchObject([{ value: '1' }])
    await store.commit({ set: [{ key: 'a', value: '1' }] })
    expect(await readEviction('a')).toBe(-1)
  })

  it('leaves no ghost of an evicted value: skipped by listings, swept like others (SG-15)', async () => {
    const { store, clock, count, evict } = await start()
    const expiresAt = clock.now() + 60
    const set = ['a', 'b', 'c'].map((key) => ({ key, value: `"${key}"`, expiresAt }))
    await store.commit({ set })
    await evict('a')
    await evict('b')
    expect((await store.list('', { limit: 1 })).map(({ key }) => key)).toEqual(['c'])
    expect(await store.get(['a'])).toEqual([undefined])
    expect(await store.commit({ check: [{ key: 'b', version: null }] })).toBe(true)
    expect(await count()).toEqual([3, 3])
    clock.advance(60)
    expect(await store.sweep(10)).toBe(3)
    expect(await count()).toEqual([0, 0])
  })

  it('keeps what is written in the place of an evicted value', async () => {
    const { store, clock, count, evict } = await start()
    await store.commit({ set: [{ key: 'a', value: '1', expiresAt: clock.now() + 60 }] })
    await evict('a')
    await store.commit({ set: [{ key: 'a', value: '2' }] })
    clock.advance(60)
    expect(await store.sweep(10)).toBe(0)
    expect(await store.list('')).toMatchObject([{ key: 'a', value: '2' }])
    expect(await count()).toEqual([1, 0])
  })

  it('does not sweep a key that is written again while it sweeps (SG-16)', async () => {
    const { store, clock, count } = await start()
    await store.commit({ set: [{ key: 'a', value: '1', expiresAt: clock.now() + 60 }] })
    clock.advance(60)
    // The commit reaches Redis after the sweep has asked what is due, and before it deletes.
    const sweeping = store.sweep(10)
    await store.commit({ set: [{ key: 'a', value: '2', expiresAt: clock.now() + 60 }] })
    expect(await sweeping).toBe(0)
    expect(await store.get(['a'])).toMatchObject([{ value: '2' }])
    expect(await count()).toEqual([1, 1])
  })

  it('keeps text of every kind, byte for byte', async () => {
    const { store } = await start()
    const value = JSON.stringify(`1 2 3 \r\n $-1 \u0000 é € 😀 ${'€😀'.repeat(20_000)}`)
    await store.commit({ set: [{ key: 'a {b} *?[c]\\', value }] })
    expect((await store.get(['a {b} *?[c]\\']))[0]?.value === value).toBe(true)
  })

  it('hears a prefix that has the signs of a pattern in it', async () => {
    const { store } = await start()
    const heard: string[] = []
    store.subscribe('a*[b]?\\/', (key) => heard.push(key))
    await store.commit({ set: ['aXb?\\/1', 'a*[b]?\\/1'].map((key) => ({ key, value: '1' })) })
    await expect.poll(() => heard).toEqual(['a*[b]?\\/1'])
  })

  it('commits although Redis forgot the scripts (NOSCRIPT)', async () => {
    const { store, clock } = await start()
    await server.command('SCRIPT', 'FLUSH')
    expect(await store.commit({ set: [{ key: 'a', value: '1', expiresAt: 1 }] })).toBe(true)
    await server.command('SCRIPT', 'FLUSH')
    clock.advance(1)
    expect(await store.sweep(1)).toBe(1)
  })

  it('keeps 100,000 keys, and nothing of them once they are swept (SG-15)', async () => {
    const { store, clock, prefix, count } = await start()
    const expiresAt = clock.now() + 60
    for (let from = 0; from < 100_000; from += 500) {
      const numbers = Array.from({ length: 500 }, (_, n) => from + n)
      await store.commit({ set: numbers.map((n) => ({ key: `k/${n}`, value: `${n}`, expiresAt })) })
    }
    let last: string | undefined
    let listed = 0
    for (let page = 0; page < 101; page++) {
      const entries = await store.list('k/', { after: last, limit: 1000 })
      listed += entries.length
      last = entries.at(-1)?.key ?? last
    }
    expect([listed, last]).toEqual([100_000, 'k/99999'])
    expect(await store.get(['k/77777'])).toMatchObject([{ value: '77777' }])
    clock.advance(60)
    expect(await store.sweep(99_000)).toBe(99_000)
    expect(await store.sweep(99_000)).toBe(1000)
    expect(await count()).toEqual([0, 0])
    const left = (await server.command('KEYS', `{${prefix}}*`)) as string[]
    expect(left.sort()).toEqual([`{${prefix}}:format`, `{${prefix}}:sequence`])
  })
})

describe.skipIf(!hasRedis)('on a cluster of two (SG-05)', () => {
  let servers: RedisServer[]
  const url = (): string => servers[0]?.url ?? ''
  beforeAll(async () => {
    const [low, high] = [await startRedisNode(0, 8191), await startRedisNode(8192, 16_383)]
    servers = [low, high]
    await joinRedisNodes(low, high)
  })
  afterAll(async () => {
    for (const server of servers) await server.close()
  })

  describeStore({
    name: 'redisStore',
    shared: true,
    createPlace: async () => {
      // Half of these prefixes belong to the other server.
      const prefix = `test-${randomUUID()}`
      return { open: (clock) => redisStore({ url: url(), clock, prefix }) }
    },
  })

  it.each([
    ['test-2', 636],
    ['test-1', 12_831],
  ])('keeps every key of %s in slot %i', async (prefix, slot) => {
    const clock = createTestClock()
    const store = await redisStore({ url: url(), clock, prefix })
    onTestFinished(() => store.close())
    const set = ['a', '{b}', 'a/{c}/d', '}{'].map((key) => ({ key, value: '1', expiresAt: 1e10 }))
    expect(await store.commit({ set })).toBe(true)
    const slots: unknown[] = []
    for (const server of servers) {
      const keys = (await server.command('KEYS', `{${prefix}}*`)) as string[]
      for (const key of keys) slots.push(await server.command('CLUSTER', 'KEYSLOT', key))
    }
    expect(slots).toHaveLength(8)
    expect(new Set(slots)).toEqual(new Set([slot]))
  })
})
