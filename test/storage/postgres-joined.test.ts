import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { postgresStore } from '../../src/storage/postgres.ts'
import type { Store } from '../../src/storage/store.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { refusal } from './fixtures.ts'
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

async function open(table: string): Promise<Store> {
  const store = await postgresStore({ url: pooler.url, clock: systemClock, table })
  onTestFinished(() => store.close())
  return store
}

/** Calls of the commit function so far; hints travel when they like. */
function countCommits(): number {
  return pooler.statements.filter((statement) => statement.includes('AS refused')).length
}

const put = (key: string, value = '1') => ({ set: [{ key, value }] })

it('makes one round trip for all commits of a turn, and each decides for itself (X12, SG-01)', async () => {
  const store = await open('decides')
  await store.commit({ set: ['kept', 'taken', 'old'].map((key) => ({ key, value: '0' })) })
  const before = countCommits()
  const isFree = (key: string) => ({ key, version: null })
  const done = await Promise.all([
    store.commit({ check: [isFree('a')], ...put('a') }),
    store.commit({ check: [isFree('taken')], ...put('b'), delete: ['kept'] }),
    store.commit({ check: [isFree('c')], ...put('old', '2') }),
    store.commit({ ...put('d'), delete: ['gone'] }),
  ])
  expect(countCommits() - before).toBe(1)
  expect(done).toEqual([true, false, true, true])
  expect((await store.list('')).map(({ key, value }) => `${key}=${value}`)).toEqual([
    'a=1',
    'd=1',
    'kept=0',
    'old=2',
    'taken=0',
  ])
})

it('never joins commits that concern the same key: one of them wins (SG-01)', async () => {
  const store = await open('same')
  const check = [{ key: 'a', version: null }]
  const before = countCommits()
  const done = await Promise.all([1, 2, 3].map((n) => store.commit({ check, ...put('a', `${n}`) })))
  expect(done.filter((won) => won)).toHaveLength(1)
  expect(countCommits() - before).toBe(3)
})

it('fails only the commit whose key is locked, not those that came along (SG-18)', async () => {
  const store = await open('locked')
  await store.commit(put('held'))
  const held = server.query(`BEGIN; SELECT FROM locked FOR UPDATE; SELECT pg_sleep(7); COMMIT`)
  await expect
    .poll(() =>
      server.query(`SELECT count(*)::integer AS n FROM pg_stat_activity
      WHERE query LIKE '%FOR UPDATE; SELECT pg_sleep%' AND wait_event = 'PgSleep'`),
    )
    .toEqual([{ n: 1 }])
  const outcomes = await Promise.allSettled([
    store.commit(put('held', '2')),
    store.commit(put('free')),
    store.commit({ check: [{ key: 'free-too', version: 1 }] }),
  ])
  expect(outcomes).toMatchObject([
    { reason: refusal('temporarily_unavailable', 'store_contended') },
    { value: true },
    { value: false },
  ])
  await held
}, 15_000)
