/** `GET /oauth/stats`: what is alive, in numbers that follow expiry, revocation and restarts. */
import { afterEach, describe, expect, it } from 'vitest'
import { toStats } from '../../src/server/endpoints/stats.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import { installations } from '../../src/storage/records/key.ts'
import type { Store } from '../../src/storage/store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { postForm, redeem, refresh, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifies } from '../verifies.ts'

const adminToken = `gha_${'a'.repeat(43)}`
const running: TestGatehouse[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
})

async function start(
  options: Parameters<typeof startTestGatehouse>[0] = {},
): Promise<TestGatehouse> {
  const site = await startTestGatehouse(options)
  running.push(site)
  const { store, sealer } = site.gatehouse.context
  const record = await installations.find(store, 'self')
  if (!record) throw new Error('There is no installation')
  const adminTokenHash = sealer.index('admin-token', adminToken)
  await store.commit({
    set: [installations.write(record.key, { ...record.value, adminTokenHash })],
  })
  return site
}

interface Stats {
  clients: number
  authorization_codes: number
  access_tokens: number
  refresh_tokens: number
}

const asAdmin = { headers: { authorization: `Bearer ${adminToken}` } }

/** The counts as [clients, codes, access tokens, refresh tokens], five seconds later. */
async function count(site: TestGatehouse): Promise<number[]> {
  site.clock.advance(5)
  const answer = await site.send('/oauth/stats', asAdmin)
  expect(answer.status).toBe(200)
  const stats = (await answer.json()) as Stats
  return [stats.clients, stats.authorization_codes, stats.access_tokens, stats.refresh_tokens]
}

describe('the counts', () => {
  verifies('A4', async () => {
    const site = await start()
    const { send, clock } = site
    expect(await count(site)).toEqual([0, 0, 0, 0])
    const client = await registerClient(send)
    await registerClient(send, { client_name: 'Another' })
    expect(await count(site)).toEqual([2, 0, 0, 0])
    const person = await createPerson(site)
    const code = await person.authorize(client)
    expect(await count(site)).toEqual([2, 1, 0, 0])
    const first = await redeem(send, client, code)
    expect(await count(site)).toEqual([2, 0, 1, 1])
    const second = await refresh(send, client, first.body.refresh_token)
    expect(await count(site)).toEqual([2, 0, 2, 1])
    await refresh(send, client, first.body.refresh_token)
    expect(await count(site)).toEqual([2, 0, 2, 1])
    const revoked = { token: first.body.access_token, client_id: client.client_id }
    await postForm(send, '/revoke', revoked)
    await postForm(send, '/revoke', revoked)
    expect(await count(site)).toEqual([2, 0, 1, 1])
    clock.advance(3600)
    expect(await count(site)).toEqual([2, 0, 0, 1])
    const third = await refresh(send, client, second.body.refresh_token)
    expect(await count(site)).toEqual([2, 0, 1, 1])
    const token = third.body.refresh_token
    await postForm(send, '/revoke', { token, client_id: client.client_id })
    expect(await count(site)).toEqual([2, 0, 0, 0])
  })

  it('leave out what expired by itself: codes, idle families, clients nobody used', async () => {
    const site = await start()
    const client = await registerClient(site.send)
    await registerClient(site.send, { client_name: 'Never used' })
    const person = await createPerson(site)
    await person.authorize(client)
    expect(await count(site)).toEqual([2, 1, 0, 0])
    site.clock.advance(60)
    expect(await count(site)).toEqual([2, 0, 0, 0])
    await redeem(site.send, client, await person.authorize(client))
    expect(await count(site)).toEqual([2, 0, 1, 1])
    site.clock.advance(30 * 86_400)
    expect(await count(site)).toEqual([1, 0, 0, 0])
  })

  it('know the only token of a client that never refreshes', async () => {
    const site = await start()
    const client = await registerClient(site.send, { grant_types: ['authorization_code'] })
    const person = await createPerson(site)
    await redeem(site.send, client, await person.authorize(client))
    expect(await count(site)).toEqual([1, 0, 1, 0])
    site.clock.advance(3600)
    expect(await count(site)).toEqual([1, 0, 0, 0])
  })

  it('are the same after a restart and at another instance', async () => {
    const clock = testClock()
    const store = memoryStore({ clock })
    const first = await start({ store, clock })
    const client = await registerClient(first.send)
    const person = await createPerson(first)
    const { body } = await redeem(first.send, client, await person.authorize(client))
    const second = await start({ store, clock })
    expect([await count(first), await count(second)]).toEqual([
      [1, 0, 1, 1],
      [1, 0, 1, 1],
    ])
    await first.close()
    const token = body.access_token
    await postForm(second.send, '/revoke', { token, client_id: client.client_id })
    expect(await count(second)).toEqual([1, 0, 0, 1])
  })

  it('go beyond one slice', async () => {
    const site = await start()
    const { store } = site.gatehouse.context
    const ids = Array.from({ length: 1203 }, (_, index) => `c${index}`)
    for (const id of ids) await store.commit({ set: [clients.write(clients.key(id), {} as never)] })
    expect(await count(site)).toEqual([1203, 0, 0, 0])
  })
})

describe('asking', () => {
  it('reads the store once in five seconds, however many ask', async () => {
    const clock = testClock()
    const { store, lists } = watched(memoryStore({ clock }))
    const site = await start({ store, clock })
    const ask = () =>
      Promise.all(Array.from({ length: 20 }, () => site.send('/oauth/stats', asAdmin)))
    await ask()
    const once = lists()
    expect(once).toBeGreaterThan(0)
    clock.advance(4)
    await ask()
    expect(lists()).toBe(once)
    clock.advance(1)
    await ask()
    expect(lists()).toBe(2 * once)
  })

  it('answers exactly the members of that deployment', async () => {
    const scopes = { read: 'Read', write: 'Write', payment: 'Pay', account: 'See your account' }
    const site = await start({ scopes, defaultScopes: ['read'] })
    const answer = await site.send('/oauth/stats', asAdmin)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await answer.json()).toEqual({
      oauth_enabled: true,
      issuer_url: site.issuer,
      valid_scopes: ['read', 'write', 'payment', 'account'],
      default_scopes: ['read'],
      clients: 0,
      authorization_codes: 0,
      access_tokens: 0,
      refresh_tokens: 0,
    })
    const counts = { clients: 0, authorizationCodes: 0, accessTokens: 0, refreshTokens: 0 }
    const off = { ...site.gatehouse.context.config, oauthEnabled: false }
    expect(toStats(off, counts).oauth_enabled).toBe(false)
  })

  it('is for the owner where people sign in', async () => {
    const site = await start()
    const strangers = [{}, { headers: { authorization: `Bearer gha_${'b'.repeat(43)}` } }]
    for (const init of strangers) {
      const answer = await site.send('/oauth/stats', init)
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer realm="admin"',
      ])
      expect(await answer.json()).toMatchObject({ error: 'invalid_token' })
    }
    const owner = await createPerson(site)
    await owner.authorize(await registerClient(site.send))
    const page = await owner.browser.open(`${site.issuer}/oauth/stats`)
    expect(JSON.parse(page.text)).toMatchObject({ clients: 1 })
    const { users, sessions } = site.gatehouse.context
    const user = await users.addLocal('bob@example.com', 'horse battery staple', 'user')
    const cookie = `__Host-gatehouse-session=${await sessions.open(user.record.value.id)}`
    expect((await site.send('/oauth/stats', { headers: { cookie } })).status).toBe(401)
  })

  it('is open where nobody signs in', async () => {
    const site = await start({ issuer: 'http://localhost:8787', noSignIn: true })
    const answer = await site.send('/oauth/stats')
    expect([answer.status, ((await answer.json()) as Stats).clients]).toEqual([200, 0])
  })
})

/** A store that counts its listings. */
function watched(inner: Store) {
  let count = 0
  const store: Store = {
    ...inner,
    list: (prefix, options) => {
      if (/^(?:client|code|grant)\/$/.test(prefix)) count += 1
      return inner.list(prefix, options)
    },
  }
  return { store, lists: () => count }
}
