import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Log } from '../../src/platform/ports.ts'
import { redisStore } from '../../src/storage/redis.ts'
import type { Store } from '../../src/storage/store.ts'
import {
  hasRedis,
  joinRedisNodes,
  makeRedisReplica,
  type RedisServer,
  startRedis,
  startRedisNode,
} from '../helpers/redis.ts'
import { createTestClock, refusal } from './fixtures.ts'
import { startWire } from './redis-wire.ts'

async function startServer(): Promise<RedisServer> {
  const server = await startRedis()
  onTestFinished(() => server.close())
  return server
}

/** What the stores of the running test logged. */
const lines: string[] = []
const write = (message: string): void => void lines.push(message)
const log: Log = { debug: write, info: write, warn: write, error: write }

async function open(url: string): Promise<Store> {
  const store = await redisStore({ url, clock: createTestClock(), log })
  lines.length = 0
  onTestFinished(() => store.close())
  return store
}

/** Kills the server and waits until the store has noticed. */
async function kill(server: RedisServer): Promise<void> {
  server.signal('SIGKILL')
  await server.ended()
  await expect.poll(() => lines).toContain('redis connection lost')
}

const put = (key: string) => ({ set: [{ key, value: `"${key}"` }] })
const lost = (reason: string) => refusal('temporarily_unavailable', reason)

/** Asks until the store answers, for ten seconds at most. */
async function recover(store: Store): Promise<void> {
  const isUp = (): Promise<boolean> => store.get(['a']).then(Boolean, () => false)
  await expect.poll(isUp, { timeout: 10_000 }).toBe(true)
}

describe.skipIf(!hasRedis)('redisStore when Redis goes away', () => {
  it('keeps every acknowledged commit over kill -9 of the server (SG-06, SG-08)', async () => {
    const server = await startServer()
    const store = await open(server.url)
    const acknowledged: string[] = []
    let killed = false
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; n < 10_000; n++) {
        const key = `written/${writer}/${n}`
        if (await store.commit(put(key)).catch(() => false)) acknowledged.push(key)
        else return
        if (acknowledged.length < 300 || killed) continue
        killed = true
        server.signal('SIGKILL')
      }
    })
    await Promise.all(writers)
    await server.ended()
    await server.restart()
    await recover(store)
    expect(acknowledged.length).toBeGreaterThanOrEqual(300)
    const entries = await store.get(acknowledged)
    expect(entries.map((entry) => entry?.key)).toEqual(acknowledged)
  })

  it('answers 503 while the server is down and works again once it is back', async () => {
    const server = await startServer()
    const store = await open(server.url)
    await store.commit(put('a'))
    await kill(server)
    await expect(store.get(['a'])).rejects.toMatchObject(lost('store_offline'))
    await expect(store.commit(put('b'))).rejects.toMatchObject(lost('store_offline'))
    await server.restart()
    await recover(store)
    expect(await store.get(['a', 'b'])).toMatchObject([{ value: '"a"' }, undefined])
    expect(lines).toEqual(['redis connection lost', 'redis is connected again'])
  })

  it('lets operations wait a moment for the server to come back', async () => {
    const server = await startServer()
    const store = await open(server.url)
    await kill(server)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const written = store.commit(put('a'))
    await server.restart()
    expect(await written).toBe(true)
  })

  it('cannot know whether a commit happened whose reply is lost, and says 503 (SG-10)', async () => {
    const server = await startServer()
    const wire = await startWire(server.port)
    const store = await open(wire.url)
    wire.mute()
    const written = store.commit(put('a'))
    const isWritten = () => server.command('EXISTS', '{gatehouse}:entry:a')
    await expect.poll(isWritten).toBe(1)
    wire.cut()
    await expect(written).rejects.toMatchObject({ ...lost('store_lost'), status: 503 })
    expect(await store.get(['a'])).toMatchObject([{ value: '"a"' }])
    expect(await store.commit({ ...put('a'), check: [{ key: 'a', version: null }] })).toBe(false)
  })

  it('gives up a silent connection after five seconds and takes another (HA-05)', async () => {
    const server = await startServer()
    const wire = await startWire(server.port)
    const store = await open(wire.url)
    wire.freeze()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const answers = Promise.allSettled([store.get(['a']), store.commit(put('b'))])
    await vi.advanceTimersByTimeAsync(5000)
    vi.useRealTimers()
    const [read, written] = await answers
    expect(read).toMatchObject({ reason: lost('store_timeout') })
    expect(written).toMatchObject({ reason: { code: 'temporarily_unavailable' } })
    expect(await store.commit(put('a'))).toBe(true)
  })

  it('finds the server that took over in a cluster, also one that joined later', async () => {
    const [master, replica] = [await startRedisNode(0, 16_383), await startRedisNode()]
    for (const server of [master, replica]) onTestFinished(() => server.close())
    await joinRedisNodes(master, replica)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const store = await open(master.url)
    await store.commit(put('a'))
    await makeRedisReplica(replica, master)
    await vi.advanceTimersByTimeAsync(60_000)
    await store.get(['a'])
    await kill(master)
    await expect(store.get(['a'])).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    await replica.command('CLUSTER', 'FAILOVER', 'TAKEOVER')
    await recover(store)
    expect(await store.get(['a'])).toMatchObject([{ value: '"a"' }])
    expect(await store.commit(put('b'))).toBe(true)
  })

  it('closes in peace while there is no server', async () => {
    const server = await startServer()
    const store = await open(server.url)
    await kill(server)
    const read = expect(store.get(['a'])).rejects.toMatchObject(lost('store_offline'))
    await store.close()
    await read
  })

  it('leaves no connection behind when it closes', async () => {
    const server = await startServer()
    const store = await open(server.url)
    const list = async () => String(await server.command('CLIENT', 'LIST'))
    expect(await list()).toContain('name=gatehouse')
    await store.close()
    await expect.poll(list).not.toContain('name=gatehouse')
  })
})

describe.skipIf(!hasRedis)('redisStore when Redis refuses', () => {
  it('answers 503 when memory is full, with nothing half done, and still deletes (SG-21)', async () => {
    const server = await startServer()
    const store = await open(server.url)
    await store.commit(put('a'))
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    const both = { ...put('b'), delete: ['a'] }
    await expect(store.commit(both)).rejects.toMatchObject(lost('store_oom'))
    expect(await store.get(['a', 'b'])).toMatchObject([{ value: '"a"' }, undefined])
    expect(await store.commit({ delete: ['a'] })).toBe(true)
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    expect(await store.commit(put('b'))).toBe(true)
    expect(await server.command('ZRANGE', '{gatehouse}:names', '0', '-1')).toEqual(['b'])
  })

  it('looks for the primary again when its server has become a replica (SG-02)', async () => {
    const server = await startServer()
    const store = await open(server.url)
    const readId = async () => /id=(\d+) .*name=gatehouse/.exec(String(await list()))?.[1]
    const list = () => server.command('CLIENT', 'LIST')
    const before = await readId()
    await server.command('REPLICAOF', '127.0.0.1', '1')
    await expect(store.commit(put('a'))).rejects.toMatchObject(lost('store_readonly'))
    await expect.poll(readId).not.toBe(before)
    await server.command('REPLICAOF', 'NO', 'ONE')
    expect(await store.commit(put('a'))).toBe(true)
  })
})

describe.skipIf(!hasRedis)('redisStore hints', () => {
  it('reach another instance within a second', async () => {
    const server = await startServer()
    const [store, other] = [await open(server.url), await open(server.url)]
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    await store.get(['ended/1'])
    await other.commit({ set: ['ended/1', 'grant/1'].map((key) => ({ key, value: '1' })) })
    await expect.poll(() => heard, { timeout: 1000 }).toEqual(['ended/1'])
    await other.commit({ delete: ['ended/1'] })
    await expect.poll(() => heard, { timeout: 1000 }).toEqual(['ended/1', 'ended/1'])
  })

  it('go on after a reconnect, and tell the prefix because of what was missed', async () => {
    const server = await startServer()
    const wire = await startWire(server.port)
    const [store, other] = [await open(wire.url), await open(server.url)]
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    await store.get(['ended/1'])
    wire.cut()
    await expect.poll(() => heard, { timeout: 1000 }).toEqual(['ended/'])
    await other.commit(put('ended/1'))
    await expect.poll(() => heard, { timeout: 1000 }).toEqual(['ended/', 'ended/1'])
  })
})
