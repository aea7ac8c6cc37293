import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { postgresStore } from '../../src/storage/postgres.ts'
import type { Store } from '../../src/storage/store.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'

/** Durable as servers are, but for one setting that the driver must overrule: it loses acknowledged work. */
const careless = ['synchronous_commit=off', 'wal_writer_delay=10s']

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ isDurable: true, settings: careless })
})
afterAll(() => server.stop())

async function open(table: string): Promise<Store> {
  const { url } = server
  const store = await postgresStore({ url, directUrl: url, clock: systemClock, table })
  onTestFinished(() => store.close())
  return store
}

const isUnavailable = { name: 'OAuthError', code: 'temporarily_unavailable', status: 503 }

/** Eight writers, until the first of their commits fails. */
function writeUntilFailure(store: Store, name: string) {
  const acknowledged: string[] = []
  const write = async (writer: number): Promise<unknown> => {
    for (let n = 0; n < 100_000; n++) {
      const key = `${name}/${writer}/${n}`
      try {
        expect(await store.commit({ set: [{ key, value: `${n}` }] })).toBe(true)
      } catch (error) {
        return error
      }
      acknowledged.push(key)
    }
    throw new Error('Nothing failed')
  }
  return { acknowledged, failures: Promise.all(Array.from({ length: 8 }, (_, n) => write(n))) }
}

describe('postgresStore on a server that crashes', () => {
  it('keeps what it acknowledged, answers 503 meanwhile, and recovers by itself (SG-06, SG-18)', async () => {
    const store = await open('crashed')
    const versions = new Set<number>()
    for (const enough of [50, 211, 400]) {
      const { acknowledged, failures } = writeUntilFailure(store, `after-${enough}`)
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(enough), 10_000)
      await server.crash()
      for (const failure of await failures) expect(failure).toMatchObject(isUnavailable)
      await expect(store.get(['a'])).rejects.toMatchObject(isUnavailable)
      await expect(store.commit({ delete: ['a'] })).rejects.toMatchObject(isUnavailable)
      await server.start()
      const entries = await store.get(acknowledged)
      expect(entries.filter((entry) => entry === undefined)).toEqual([])
      const fresh = new Set(entries.map((entry) => entry?.version ?? 0))
      expect([...fresh].filter((version) => versions.has(version))).toEqual([])
      for (const version of fresh) versions.add(version)
    }
  })

  it('hints again afterwards, first by the prefix (SG-10)', async () => {
    const [store, other] = [await open('heard'), await open('heard')]
    const heard: string[] = []
    store.subscribe('ended/', (key) => heard.push(key))
    await server.crash()
    await server.start()
    await vi.waitFor(() => expect(heard).toContain('ended/'), 5000)
    await vi.waitFor(async () => {
      await other.commit({ set: [{ key: 'ended/1', value: '1' }] })
      expect(heard.at(-1)).toBe('ended/1')
    }, 5000)
  })

  it('refuses to start on a replica, whose answers are old (SG-02)', async () => {
    const replica = await startPostgres()
    onTestFinished(() => replica.stop())
    await replica.crash()
    await replica.startAsReplica()
    const started = postgresStore({ url: replica.url, clock: systemClock })
    const refused = {
      name: 'StartError',
      message: expect.stringMatching(/read-only replica; give/),
    }
    await expect(started).rejects.toMatchObject(refused)
  })
})
