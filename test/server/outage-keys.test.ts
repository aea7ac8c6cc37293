/**
 * What happens while keys cannot be read: at the start, a data key that another process made, and keys
 * that a process has not looked at for a day (SG-08, P5).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toCookieName } from '../../src/server/cookies.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { grantUses } from '../../src/storage/records/grant.ts'
import { signingKeys } from '../../src/storage/records/key.ts'
import { vaults } from '../../src/storage/records/vault.ts'
import { rotateDataKey } from '../../src/storage/sealed-rotation.ts'
import type { Store } from '../../src/storage/store.ts'
import { createBrowser, type Page } from '../helpers/browser.ts'
import { type FailingStore, type FailurePoint, failingStore } from '../helpers/failing-store.ts'
import {
  masterKey,
  startTestGatehouse,
  type TestClock,
  type TestGatehouse,
  testClock,
} from '../helpers/gatehouse.ts'
import { instantUpstream } from '../helpers/instant-upstream.ts'
import {
  authorizePath,
  type Registered,
  readClaims,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'

const issuer = 'https://mcp.example.com'
const day = 86_400
const upstreams = [instantUpstream(() => issuer)]
const fetch: typeof globalThis.fetch = async () =>
  Response.json({ jsonrpc: '2.0', id: 1, result: {} })

let clock: TestClock
let inner: Store
let store: FailingStore
let open: TestGatehouse[]
beforeEach(() => {
  clock = testClock()
  inner = memoryStore({ clock })
  store = failingStore(inner)
  open = []
})
afterEach(async () => {
  store.heal()
  await Promise.all(open.map((one) => one.close()))
  await inner.close()
})

async function start(on: Store = store): Promise<TestGatehouse> {
  const backends = [{ name: 'Notes', to: 'http://127.0.0.1:9/mcp', identity: 'headers' as const }]
  const running = await startTestGatehouse({ store: on, clock, upstreams, backends, fetch })
  open.push(running)
  return running
}

/** Lets the work end that no answer waits for. */
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve))

const points: readonly FailurePoint[] = ['before', 'after']

it.each(points)(
  'a first start that fails %s any operation leaves one set of keys',
  async (point) => {
    for (let nth = 1; ; nth++) {
      inner = memoryStore({ clock })
      store = failingStore(inner)
      store.failAt(nth, point)
      const [first] = await Promise.allSettled([start()])
      await settle()
      const hasFailed = store.hasFailed()
      if (first.status === 'rejected') {
        expect(first.reason).toMatchObject({ code: 'temporarily_unavailable' })
        expect(store.countListeners(), 'of a process that did not start').toBe(0)
      }
      store.heal()
      const second = await start()
      expect((await second.send('/readyz')).status).toBe(200)
      expect(await signingKeys.list(inner)).toHaveLength(1)
      expect((await vaults.find(inner, 'self'))?.value.dataKeys).toHaveLength(1)
      if (!hasFailed) break
    }
  },
)

/** A person of the provider and a client of theirs. */
interface Connection {
  readonly client: Registered
  readonly accessToken: string
  readonly refreshToken: string
  /** Opens the client's authorization request in the browser in which the person is signed in. */
  look(at: TestGatehouse): Promise<Page>
  /** A call to the backend with the access token. */
  call(at: TestGatehouse): Promise<number>
}

async function connect(at: TestGatehouse): Promise<Connection> {
  const client = await registerClient(at.send)
  const browser = createBrowser(issuer, at.gatehouse.fetch)
  let page = await browser.open(issuer + authorizePath(client))
  for (let step = 0; step < 3 && page.status === 200; step++) {
    page = await browser.press(page, 'decision', 'allow')
  }
  const { body } = await redeem(at.send, client, page.url.searchParams.get('code') ?? '')
  const { access_token: accessToken = '', refresh_token: refreshToken = '' } = body
  const session = browser.cookies.get(toCookieName('session', issuer)) ?? ''
  return {
    client,
    accessToken,
    refreshToken,
    look: (there) => {
      const other = createBrowser(issuer, there.gatehouse.fetch)
      other.cookies.set(toCookieName('session', issuer), session)
      return other.open(issuer + authorizePath(client))
    },
    call: async (there) => {
      const answer = await there.send('/mcp', {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: '{}',
      })
      await settle()
      return answer.status
    },
  }
}

/** A process that hears no hints on the failing store: it learns what it looks up. */
const startDeaf = () => start({ ...store, subscribe: () => () => {} })

describe('a data key that this process does not know', () => {
  it('is looked up, also when the first look fails: 503 until then, never a refusal', async () => {
    const deaf = await startDeaf()
    const other = await start(inner)
    await rotateDataKey({ store: inner, masterKey, clock })
    clock.advance(301)
    await other.gatehouse.context.sealer.reread()
    const { look, call } = await connect(other)

    store.failOn('get vault/', 'before')
    const seen: number[] = []
    for (let tries = 0; tries < 4; tries++) {
      seen.push((await look(deaf)).status)
      await settle()
      if (tries < 2) expect([503, 200]).toContain(await call(deaf))
    }
    expect(store.hasFailed()).toBe(true)
    expect(seen[0]).toBe(503)
    expect(seen.at(-1)).toBe(200)
    expect(seen.filter((status) => status !== 503 && status !== 200)).toEqual([])
    expect(await call(deaf)).toBe(200)
  })
})

describe('keys that were not looked at for a day', () => {
  it('sign again after a failed look: the refresh token is as good as before (RF-17)', async () => {
    const deaf = await startDeaf()
    const { client, refreshToken, accessToken } = await connect(deaf)
    clock.advance(day + 1)
    store.failOn('get key-ring/', 'before')
    const failed = await refresh(deaf.send, client, refreshToken)
    expect(failed.body.error).toBe('temporarily_unavailable')
    expect(store.hasFailed()).toBe(true)
    const again = await refresh(deaf.send, client, refreshToken)
    expect(again.status).toBe(200)
    expect(readClaims(again.body.access_token).gid).toBe(readClaims(accessToken).gid)
  })

  it('seal again after a failed look: nobody leaves for the provider meanwhile', async () => {
    const deaf = await startDeaf()
    const client = await registerClient(deaf.send)
    clock.advance(day + 1)
    store.failOn('get vault/', 'before')
    const browser = createBrowser(issuer, deaf.gatehouse.fetch)
    const page = await browser.open(issuer + authorizePath(client))
    const statuses: number[] = []
    for (let tries = 0; tries < 3; tries++) {
      statuses.push((await browser.press(page, 'decision', 'allow')).status)
      await settle()
    }
    expect(statuses).toEqual([503, 503, 200])
    expect(store.hasFailed()).toBe(true)
  })
})

it('a use that others kept this gate from recording is recorded with the next call (P3)', async () => {
  let losses = 5
  const commit: Store['commit'] = async (change) => {
    const isUse = change.set?.some(({ key }) => key.startsWith(grantUses.key('')))
    if (!isUse || losses === 0) return inner.commit(change)
    losses -= 1
    return false
  }
  const running = await start({ ...inner, commit })
  const { call, accessToken } = await connect(running)
  const gid = String(readClaims(accessToken).gid)
  expect(await call(running)).toBe(200)
  expect(losses).toBe(0)
  expect(await grantUses.find(inner, gid)).toBeUndefined()
  expect(await call(running)).toBe(200)
  expect(await grantUses.find(inner, gid)).toBeDefined()
})
