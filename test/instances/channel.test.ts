/** A driver whose channel for hints is down looks for changes by itself, and says so. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { postgresStore } from '../../src/storage/postgres.ts'
import { redisStore } from '../../src/storage/redis.ts'
import type { TestGatehouse } from '../helpers/gatehouse.ts'
import { postForm } from '../helpers/oauth-client.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { hasRedis, type RedisServer, startRedis } from '../helpers/redis.ts'
import { startPooler } from '../storage/postgres-pooler.ts'
import { startWire } from '../storage/redis-wire.ts'
import type { Place } from './drivers.ts'
import { call, createClock, letIn, refused, soon, startPair } from './pair.ts'

/** What `gatehouse_store_hints_up` shows. */
async function readHintsUp({ gatehouse }: TestGatehouse): Promise<string | undefined> {
  const { body } = await gatehouse.context.metrics.expose()
  return /^gatehouse_store_hints_up (\S+)$/m.exec(body)?.[1]
}

/** Revokes a grant here and waits until it is refused there. */
async function verifyHeard(
  pair: Awaited<ReturnType<typeof startPair>>,
  hintsUp: '0' | '1',
): Promise<void> {
  const { here, there, connect } = pair
  const { client, accessToken, refreshToken } = await connect()
  expect(await call(there, accessToken)).toBe(letIn)
  expect(await readHintsUp(there)).toBe(hintsUp)
  await postForm(here.send, '/revoke', { client_id: client.client_id, token: refreshToken })
  await expect.poll(() => call(there, accessToken), soon).toBe(refused)
}

describe('on PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    await server.query('CREATE ROLE listener LOGIN')
  })
  afterAll(() => server.stop())

  let tables = 0
  /** Two ways to one store, of which the other may lead elsewhere. */
  function createPlaces(others: { url?: string; directUrl?: string | undefined }) {
    tables += 1
    const own = { url: server.url, directUrl: server.url, table: `channel_${tables}` }
    const toPlace = (ways: typeof others): Pick<Place, 'open'> => ({
      open: (clock) => postgresStore({ ...own, ...ways, clock }),
    })
    return [toPlace({}), toPlace(others)] as const
  }

  it('changes arrive within a second while nobody may listen, and are heard again after', async () => {
    const [mine, theirs] = createPlaces({ directUrl: server.urlOf('listener') })
    const pair = await startPair(mine, undefined, theirs)
    await verifyHeard(pair, '1')
    await server.query('ALTER ROLE listener CONNECTION LIMIT 0')
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'listener'`
    expect(await server.query(cut)).toHaveLength(1)
    await expect.poll(() => pair.store.isHearing(), soon).toBe(false)
    await verifyHeard(pair, '0')
    await server.query('ALTER ROLE listener CONNECTION LIMIT -1')
    await expect.poll(() => pair.store.isHearing(), { timeout: 10_000 }).toBe(true)
    await verifyHeard(pair, '1')
  })

  it('changes arrive within a second through a pooler that keeps no session', async () => {
    const pooler = await startPooler(server.port)
    onTestFinished(() => pooler.close())
    const [mine, theirs] = createPlaces({ url: pooler.url, directUrl: undefined })
    await verifyHeard(await startPair(mine, undefined, theirs), '1')
  })
})

describe.skipIf(!hasRedis)('on Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.close())

  const toPlace = (url: string, prefix: string): Pick<Place, 'open'> => ({
    open: (clock) => redisStore({ url, clock, prefix }),
  })

  it('changes arrive within a second where subscriptions are refused', async () => {
    const rights = ['resetchannels', '&{deaf}:*', '~*', '+@all']
    await server.command('ACL', 'SETUSER', 'deaf', 'on', '>pw', ...rights)
    const theirs = toPlace(server.url.replace('//', '//deaf:pw@'), 'deaf')
    await verifyHeard(await startPair(toPlace(server.url, 'deaf'), undefined, theirs), '0')
  })

  it('changes of the time in which the connection was cut arrive with the next', async () => {
    const wire = await startWire(server.port)
    const pair = await startPair(toPlace(server.url, 'cut'), undefined, toPlace(wire.url, 'cut'))
    const { here, there, connect } = pair
    const { client, accessToken, refreshToken } = await connect()
    wire.cut()
    await postForm(here.send, '/revoke', { client_id: client.client_id, token: refreshToken })
    await expect.poll(() => call(there, accessToken), soon).toBe(refused)
    await verifyHeard(pair, '1')
  })

  it('a connection that only listens is found dead after fifteen seconds at most (HA-05)', async () => {
    const wire = await startWire(server.port)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const clock = createClock()
    const [mine, theirs] = [toPlace(server.url, 'silent'), toPlace(wire.url, 'silent')]
    const [writer, listener] = [await mine.open(clock), await theirs.open(clock)]
    onTestFinished(async () => void (await Promise.all([writer.close(), listener.close()])))
    const heard: string[] = []
    listener.subscribe('ended/', (key) => heard.push(key))
    await listener.get(['ended/1'])
    expect(listener.isHearing()).toBe(true)
    wire.freeze()
    await writer.commit({ set: [{ key: 'ended/1', value: '1' }] })
    await vi.advanceTimersByTimeAsync(15_000)
    vi.useRealTimers()
    await expect.poll(() => heard, soon).toContain('ended/')
    expect(listener.isHearing()).toBe(true)
  })
})
