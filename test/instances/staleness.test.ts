/** How long an instance goes on that cannot learn of ended grants any more, and how it says so. */
import { expect, it, onTestFinished, vi } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { endedGrants } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import type { TestGatehouse } from '../helpers/gatehouse.ts'
import { postForm } from '../helpers/oauth-client.ts'
import { call, deafen, letIn, refused, startPair } from './pair.ts'

/** Two instances, of which the one over there cannot read what ended while `isBlind`. */
async function startHalfBlind() {
  vi.useFakeTimers({
    toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'],
  })
  onTestFinished(() => void vi.useRealTimers())
  const state = { isBlind: false }
  const blind = (store: Store): Store => ({
    ...deafen(store),
    list: async (prefix, options) => {
      if (state.isBlind && prefix === endedGrants.key('')) throw unavailable('store_test')
      return store.list(prefix, options)
    },
  })
  let shared: Store | undefined
  const open = async (clock: { now(): number }) => (shared ??= memoryStore({ clock }))
  const pair = await startPair({ open }, blind)
  return { ...pair, state }
}

/** What a gauge shows. */
async function readAge({ gatehouse }: TestGatehouse): Promise<number> {
  const { body } = await gatehouse.context.metrics.expose()
  return Number(/^gatehouse_revocations_age_seconds (\S+)$/m.exec(body)?.[1])
}

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

it('is known from a metric, which a reading sets back (HA-12)', async () => {
  const { there, state } = await startHalfBlind()
  await pass(59)
  expect(await readAge(there)).toBeCloseTo(59, 0)
  await pass(2)
  expect(await readAge(there)).toBeCloseTo(1, 0)
  state.isBlind = true
  await pass(100)
  expect(await readAge(there)).toBeCloseTo(101, 0)
})

it('ends readiness after two minutes and all access after five, with 503, until it is over (HA-04, RS-11, RS-12)', async () => {
  const { here, there, state, connect } = await startHalfBlind()
  const [kept, ended] = [await connect(), await connect()]
  state.isBlind = true
  const token = ended.refreshToken
  await postForm(here.send, '/revoke', { client_id: ended.client.client_id, token })

  await pass(110)
  expect((await there.send('/readyz')).status).toBe(200)
  await pass(20)
  expect((await there.send('/readyz')).status).toBe(503)
  expect(await call(there, kept.accessToken)).toBe(letIn)
  await pass(160)
  expect(await call(there, ended.accessToken)).toBe(letIn)
  await pass(20)
  const headers = { authorization: `Bearer ${kept.accessToken}` }
  const response = await there.send('/mcp', { method: 'POST', headers })
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).not.toBeNull()
  expect(response.headers.get('www-authenticate')).toBeNull()
  expect(await call(here, kept.accessToken)).toBe(letIn)

  state.isBlind = false
  await pass(10)
  expect(await call(there, kept.accessToken)).toBe(letIn)
  expect(await call(there, ended.accessToken)).toBe(refused)
  expect((await there.send('/readyz')).status).toBe(200)
})

it('is told to the owner once when it begins, once when it bites, once when it is over', async () => {
  const { there, state } = await startHalfBlind()
  state.isBlind = true
  await pass(900)
  state.isBlind = false
  await pass(10)
  const told = there.log.lines.filter(({ message }) => message.startsWith('ended grants'))
  expect(told.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'ended grants cannot be read'],
    ['error', 'ended grants could not be read for too long: the gate lets nobody in'],
    ['info', 'ended grants are known again'],
  ])
})
