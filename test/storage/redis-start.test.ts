import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Log, LogFields } from '../../src/platform/ports.ts'
import type { RedisStoreOptions } from '../../src/storage/redis.ts'
import { redisStore } from '../../src/storage/redis.ts'
import { hasRedis, type RedisServer, startRedis } from '../helpers/redis.ts'
import { createTestClock } from './fixtures.ts'

async function startServer(settings: Record<string, string> = {}): Promise<RedisServer> {
  const server = await startRedis(settings)
  onTestFinished(() => server.close())
  return server
}

type Warnings = [message: string, fields?: LogFields][]

/** Opens a store and returns its warnings, which may still grow. */
async function open(options: Partial<RedisStoreOptions>): Promise<Warnings> {
  return (await openStore(options)).warnings
}

async function openStore(options: Partial<RedisStoreOptions>) {
  const warnings: Warnings = []
  const ignore = (): void => {}
  const warn: Log['warn'] = (...line) => void warnings.push(line)
  const log: Log = { debug: ignore, info: ignore, warn, error: ignore }
  const store = await redisStore({ url: '', clock: createTestClock(), log, ...options })
  onTestFinished(() => store.close())
  return { store, warnings }
}

const startError = (text: RegExp) => ({ name: 'StartError', message: expect.stringMatching(text) })

describe('redisStore refuses as a mistake of the caller', () => {
  it.each([
    'localhost:6379',
    'http://localhost:6379',
    'redis://',
    'redis://localhost:99999',
    'redis://localhost/a',
    'redis://user:secret@localhost/1/2',
    'redis://:sec%ret@localhost',
  ])('the URL %s, without repeating it', async (url) => {
    const opened = open({ url })
    await expect(opened).rejects.toThrow(TypeError)
    await expect(opened).rejects.toThrow(/^In the URL of a Redis|^The URL of a Redis store must/)
    await expect(opened).rejects.not.toThrow(/sec/)
  })

  it.each(['', 'a{b', 'a}b{', 'a b', 'é', 'a*', 'k'.repeat(65)])(
    'the prefix %j (SG-05)',
    async (prefix) => {
      await expect(open({ url: 'redis://localhost', prefix })).rejects.toThrow(TypeError)
    },
  )
})

describe('redisStore without its package', () => {
  it('says what to install', async () => {
    vi.doMock('@redis/client', () => {
      throw new Error('Cannot find package')
    })
    onTestFinished(() => vi.doUnmock('@redis/client'))
    const refused = startError(/needs the package @redis\/client.* npm install @redis\/client/)
    await expect(open({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject(refused)
  })
})

describe.skipIf(!hasRedis)('redisStore refuses to start', () => {
  it.each(['allkeys-lru', 'volatile-ttl'])('on a server that evicts: %s', async (policy) => {
    const { url } = await startServer({ 'maxmemory-policy': policy })
    const refused = startError(/deletes live data .*maxmemory-policy is .*set .* to noeviction/)
    await expect(open({ url })).rejects.toMatchObject(refused)
    await expect(open({ url, onWeakDurability: 'warn' })).rejects.toMatchObject(refused)
  })

  it.each([
    [{ appendonly: 'no' }, /can forget .* appendonly is no.* Set appendonly to yes.* or accept/],
    [{ appendfsync: 'no' }, /can forget .* appendfsync is no/],
    [{ 'no-appendfsync-on-rewrite': 'yes' }, /can forget .* no-appendfsync-on-rewrite is yes/],
  ])('on a server that forgets: %j, unless told to warn (SG-06)', async (settings, text) => {
    const { url } = await startServer(settings)
    await expect(open({ url })).rejects.toMatchObject(startError(text))
    const warnings = await open({ url, onWeakDurability: 'warn' })
    expect(warnings).toEqual([
      ['redis can forget what it acknowledged', { weakness: expect.any(String) }],
    ])
  })

  it('where nothing listens', async () => {
    const server = await startServer()
    await server.close()
    const refused = startError(/Redis at 127.0.0.1:\d+ cannot be reached \(ECONNREFUSED\); check/)
    await expect(open({ url: server.url })).rejects.toMatchObject(refused)
  })

  it('without the password or with a wrong one', async () => {
    const { port } = await startServer({ requirepass: 'secret' })
    const refused = (text: RegExp) => startError(new RegExp(`cannot be used: ${text.source}`))
    await expect(open({ url: `redis://127.0.0.1:${port}` })).rejects.toMatchObject(
      refused(/it wants a password/),
    )
    await expect(open({ url: `redis://:wrong@127.0.0.1:${port}` })).rejects.toMatchObject(
      refused(/it does not know this user or password/),
    )
    await open({ url: `redis://:secret@127.0.0.1:${port}/3` })
  })

  it('as a user who may not do all that a commit does', async () => {
    const server = await startServer()
    await server.command('ACL', 'SETUSER', 'ann', 'on', '>pw', '~*', '&*', '+@all', '-zadd')
    const url = `redis://ann:pw@127.0.0.1:${server.port}`
    const cannotRun = startError(/cannot be used: it says ERR The user .* can't run this command/)
    await expect(open({ url })).rejects.toMatchObject(cannotRun)
    await server.command('ACL', 'SETUSER', 'ann', '+zadd', 'resetchannels')
    const lacks = startError(/cannot be used: the user lacks permissions; allow/)
    await expect(open({ url })).rejects.toMatchObject(lacks)
    await server.command('ACL', 'SETUSER', 'ann', '&{gatehouse}:*')
    const { store, warnings } = await openStore({ url })
    expect(warnings).toEqual([])
    store.subscribe('ended/', () => {})
    await expect.poll(() => warnings).toMatchObject([['redis refuses subscriptions', {}]])
    expect(await store.commit({ set: [{ key: 'ended/1', value: '1' }] })).toBe(true)
  })

  it('on a replica', async () => {
    const server = await startServer()
    await server.command('REPLICAOF', '127.0.0.1', '1')
    await expect(open({ url: server.url })).rejects.toMatchObject(startError(/is a replica/))
  })

  it('on the data of a newer Gatehouse, or of another program (HA-08)', async () => {
    const server = await startServer()
    await server.command('SET', '{new}:format', '99')
    await server.command('SET', '{other}:format', 'blue')
    await server.command('SET', '{third}:names', '1')
    const { url } = server
    await expect(open({ url, prefix: 'new' })).rejects.toMatchObject(
      startError(/newer Gatehouse \(format 99, .* upgrade/),
    )
    await expect(open({ url, prefix: 'other' })).rejects.toMatchObject(
      startError(/\{other\}:format belongs to another program; choose another prefix/),
    )
    await expect(open({ url, prefix: 'third' })).rejects.toMatchObject(
      startError(/another program uses keys of this prefix/),
    )
  })
})

describe.skipIf(!hasRedis)('redisStore starts', () => {
  it('without a warning where every commit is flushed', async () => {
    const { url } = await startServer()
    expect(await open({ url })).toEqual([])
  })

  it('with a warning where Redis flushes once a second', async () => {
    const { url } = await startServer({ appendfsync: 'everysec' })
    expect(await open({ url })).toEqual([[expect.stringMatching(/flushes once a second/)]])
  })

  it('with a warning where CONFIG is forbidden, but goes by INFO', async () => {
    const server = await startServer()
    await server.command('ACL', 'SETUSER', 'ann', 'on', '>pw', '~*', '&*', '+@all', '-config')
    const url = `redis://ann:pw@127.0.0.1:${server.port}`
    expect(await open({ url })).toEqual([
      [expect.stringMatching(/does not tell/), { unknown: ['appendFsync', 'noFsyncOnRewrite'] }],
    ])
    await server.command('CONFIG', 'SET', 'appendonly', 'no')
    await expect(open({ url })).rejects.toMatchObject(startError(/appendonly is no/))
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(open({ url })).rejects.toMatchObject(startError(/maxmemory-policy is allkeys-lru/))
  })
})
