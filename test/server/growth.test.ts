/** What goes by itself and what stays, over months of the injected clock (issue "the store holds", Growth). */
import { afterEach, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import {
  startTestGatehouse,
  type TestClock,
  type TestGatehouse,
  testClock,
} from '../helpers/gatehouse.ts'
import { authorizePath, redeem, refresh, registerClient } from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { verifiesThat } from '../verifies.ts'

const day = 86_400

interface World {
  server: TestGatehouse
  store: Store
  clock: TestClock
  person: Person
}

let running: TestGatehouse | undefined
afterEach(() => running?.close())

async function start(options: { reuseRegistrations?: boolean } = {}): Promise<World> {
  const clock = testClock()
  const store = memoryStore({ clock })
  const lifetimes = { sessionSeconds: 4000 * day }
  const server = await startTestGatehouse({ store, clock, lifetimes, ...options })
  running = server
  return { server, store, clock, person: await createPerson(server) }
}

/** The kinds of record that are left once everything expired is swept away; the person stays signed in. */
async function listKinds(store: Store): Promise<string[]> {
  while ((await store.sweep(1000)) > 0);
  const entries = await store.list('', { limit: 10_000 })
  return entries
    .map(({ key }) => key.split('/')[0] ?? '')
    .filter((kind) => !kind.includes('session'))
    .sort((a, b) => (a < b ? -1 : 1))
}

describe('what goes by itself', () => {
  it('is a client that nobody authorized, after 30 days; one that was authorized stays (CR-19, CR-21)', async () => {
    const { server, store, clock, person } = await start()
    const unused = await registerClient(server.send)
    const used = await registerClient(server.send)
    await person.authorize(used)
    clock.advance(31 * day)
    expect((await listKinds(store)).filter((kind) => kind === 'client')).toHaveLength(1)
    const pages = await Promise.all(
      [unused, used].map((client) => server.send(authorizePath(client), { redirect: 'manual' })),
    )
    expect(pages.map(({ status }) => status)).toEqual([400, 200])
    clock.advance(3000 * day)
    expect((await server.send(authorizePath(used), { redirect: 'manual' })).status).toBe(200)
  })

  verifiesThat('A5', 'a grant that nobody uses any more leaves nothing behind', async () => {
    const { server, store, clock, person } = await start()
    const client = await registerClient(server.send)
    const before = await listKinds(store)
    const { body } = await redeem(server.send, client, await person.authorize(client))
    await refresh(server.send, client, body.refresh_token)
    clock.advance(61 * day)
    // The client was authorized: that it is kept now is all that is left of it.
    expect(await listKinds(store)).toEqual(before)
  })

  verifiesThat('A5', 'a grant in use stays for all of its lifetime, and no longer', async () => {
    const { server, store, clock, person } = await start()
    const client = await registerClient(server.send)
    const first = await redeem(server.send, client, await person.authorize(client))
    let token = first.body.refresh_token
    for (let month = 0; month < 13; month++) {
      clock.advance(28 * day)
      const { status, body } = await refresh(server.send, client, token)
      expect(status).toBe(200)
      token = body.refresh_token
      expect(await listKinds(store)).toContain('client-grant')
    }
    clock.advance(2 * day)
    expect((await refresh(server.send, client, token)).body.error).toBe('invalid_grant')
    expect(await listKinds(store)).not.toContain('client-grant')
  })
})

describe('a public client that registers the same again', () => {
  const metadata = { client_name: 'Gemini CLI MCP Client', scope: 'notes:read' }

  it('gets the same id where the owner wants that, also long after it was authorized (CR-19)', async () => {
    const { server, clock, person } = await start({ reuseRegistrations: true })
    const first = await registerClient(server.send, metadata)
    expect((await registerClient(server.send, metadata)).client_id).toBe(first.client_id)
    await person.authorize(first)
    clock.advance(400 * day)
    const again = await registerClient(server.send, metadata)
    expect(again).toEqual(first)
  })

  it('gets another id when one member differs, or when it has a secret', async () => {
    const { server } = await start({ reuseRegistrations: true })
    const first = await registerClient(server.send, metadata)
    const other = await registerClient(server.send, { ...metadata, scope: 'notes:write' })
    expect(other.client_id).not.toBe(first.client_id)
    const secretive = { ...metadata, token_endpoint_auth_method: 'client_secret_post' }
    const [one, two] = [
      await registerClient(server.send, secretive),
      await registerClient(server.send, secretive),
    ]
    expect(one.client_id).not.toBe(two.client_id)
  })

  it('gets a new id otherwise', async () => {
    const { server } = await start()
    const first = await registerClient(server.send, metadata)
    expect((await registerClient(server.send, metadata)).client_id).not.toBe(first.client_id)
  })
})

describe('a public client that registers the same again with another loopback port', () => {
  it.each([
    ['http://127.0.0.1:40111/callback', 'http://127.0.0.1:50111/callback'],
    ['http://localhost/callback?a=1', 'http://localhost:50111/callback?a=1'],
    ['http://[::1]:40111', 'http://[::1]:50111/'],
  ])('goes on with the tokens it has: %s (RD-04, RFC 8252 §7.3)', async (uri, other) => {
    const { server, clock, person } = await start({ reuseRegistrations: true })
    const first = await registerClient(server.send, { redirect_uris: [uri] })
    const tokens = await redeem(server.send, first, await person.authorize(first))
    clock.advance(20 * day)
    const again = await registerClient(server.send, { redirect_uris: [other] })
    // Clients compare the redirect URIs of the answer with their own.
    expect(again).toEqual({ ...first, redirect_uris: [other] })
    expect((await refresh(server.send, again, tokens.body.refresh_token)).status).toBe(200)
    const code = await person.authorize(again)
    expect((await redeem(server.send, again, code, { redirect_uri: uri })).status).toBe(400)
    expect((await redeem(server.send, again, await person.authorize(again))).status).toBe(200)
    expect((await server.send(authorizePath(first))).status).toBe(200)
  })

  it.each([
    ['http://127.0.0.1:1/cb', 'http://localhost:1/cb'],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.2:1/cb'],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.1:1/other'],
    ['http://127.0.0.1:1/cb', 'https://127.0.0.1:1/cb'],
    ['https://app.example:1/cb', 'https://app.example:2/cb'],
    ['cursor://localhost:1/cb', 'cursor://localhost:2/cb'],
  ])('gets another id when more than that differs: %s, %s (RD-05, RD-06)', async (uri, other) => {
    const { server } = await start({ reuseRegistrations: true })
    const [first, second] = [
      await registerClient(server.send, { redirect_uris: [uri] }),
      await registerClient(server.send, { redirect_uris: [other] }),
    ]
    expect(second.client_id).not.toBe(first.client_id)
  })
})
