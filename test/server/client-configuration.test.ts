/** GET|PUT|DELETE /register/:client_id: a client manages its own registration (RFC 7592, X6). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import { clientGrants } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import { findForm } from '../helpers/browser.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  basic,
  type Registered,
  readClaims,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { verifiesThat } from '../verifies.ts'

const day = 86_400
const redirectUri = 'https://client.example/callback'
const otherUri = 'https://client.example/other'

let server: TestGatehouse
let person: Person
beforeAll(async () => {
  server = await startTestGatehouse()
  person = await createPerson(server)
})
afterAll(() => server.close())

interface Managed {
  status: number
  headers: Headers
  body: Record<string, unknown>
}

const tokenOf = (client: Registered): string => String(client.registration_access_token)

/** Sends a request to the client's registration; by default with its own token. */
async function manage(
  method: string,
  client: Registered,
  { body, token, on = server }: { body?: unknown; token?: string; on?: TestGatehouse } = {},
): Promise<Managed> {
  const authorization = token ?? `Bearer ${tokenOf(client)}`
  const response = await on.send(new URL(String(client.registration_client_uri)).pathname, {
    method,
    headers: {
      ...(authorization !== '' && { authorization }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}

/** What a client sends to replace its registration: all it knows, as RFC 7592 §2.2 asks. */
function toReplacement(client: Registered, changes: Record<string, unknown> = {}) {
  const {
    registration_access_token: _,
    registration_client_uri: __,
    client_id_issued_at: ___,
    client_secret_expires_at: ____,
    ...members
  } = client
  return { ...members, ...changes }
}

const confidential = { token_endpoint_auth_method: 'client_secret_post' }

describe('reading', () => {
  verifiesThat('X6', 'a client reads its registration', async () => {
    const client = await registerClient(server.send)
    const { status, headers, body } = await manage('GET', client)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual(client)
  })

  it('never tells a secret a second time (CR-15)', async () => {
    const client = await registerClient(server.send, confidential)
    const { body } = await manage('GET', client)
    expect(body).not.toHaveProperty('client_secret')
    expect(body).not.toHaveProperty('client_secret_expires_at')
    expect(body.token_endpoint_auth_method).toBe('client_secret_post')
  })

  it('is open to scripts of any origin, which send no cookies (DI-09)', async () => {
    const client = await registerClient(server.send)
    const preflight = await server.send(`/register/${client.client_id}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'DELETE' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toMatch(/GET.*PUT.*DELETE/)
    expect((await manage('GET', client)).headers.get('access-control-allow-origin')).toBe('*')
  })

  it('works on every instance and after a restart (CR-22)', async () => {
    const client = await registerClient(server.send)
    const { store } = server.gatehouse.context
    const other = await startTestGatehouse({ store, clock: server.clock })
    expect((await manage('GET', client, { on: other })).status).toBe(200)
    await other.close()
  })
})

describe('whoever has not the token of the client', () => {
  const methods = ['GET', 'PUT', 'DELETE']

  it.each(methods)('cannot %s it, and learns nothing (CR-27, RFC 7592 §2.1)', async (method) => {
    const client = await registerClient(server.send)
    const other = await registerClient(server.send)
    const unknown = { ...client, registration_client_uri: `${server.issuer}/register/mcp_x` }
    const stranger = `Bearer ${tokenOf(other)}`
    const madeUp = `Bearer ghm_${'x'.repeat(43)}`
    const tries = await Promise.all([
      manage(method, client, { token: stranger }),
      manage(method, client, { token: madeUp }),
      manage(method, client, { token: `Bearer ${client.client_id}` }),
      manage(method, client, { token: `Basic ${tokenOf(client)}` }),
      manage(method, unknown as Registered),
    ])
    for (const { status, headers, body } of tries) {
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="registration"/)
      expect(body).toEqual(tries[0]?.body)
      expect(JSON.stringify(body)).not.toContain(redirectUri)
    }
    expect(tries[0]?.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect((await manage('GET', client)).body).toEqual(client)
  })

  it.each(methods)('is invited with a challenge when it sends none with %s', async (method) => {
    const client = await registerClient(server.send)
    const { status, headers } = await manage(method, client, { token: '' })
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer realm="registration"')
  })

  it.each(['a%2fb', 'x'.repeat(300), '%00', '…'])('finds nothing under %s', async (id) => {
    const response = await server.send(`/register/${id}`, {
      headers: { authorization: `Bearer ghm_${'x'.repeat(43)}` },
    })
    expect([401, 404]).toContain(response.status)
  })

  it('cannot use the secret of the client, an access token or the admin token instead', async () => {
    const client = await registerClient(server.send, confidential)
    const tokens = await redeem(server.send, client, await person.authorize(client))
    const secret = basic(client.client_id, client.client_secret ?? '').authorization
    for (const token of [
      secret,
      `Bearer ${tokens.body.access_token}`,
      `Bearer gha_${'x'.repeat(43)}`,
    ]) {
      expect((await manage('GET', client, { token })).status).toBe(401)
    }
  })

  it.each(['preregistered', 'dynamic'] as const)(
    'cannot manage a %s client that has no token, whatever it sends',
    async (origin) => {
      const { store } = server.gatehouse.context
      const client = await registerClient(server.send)
      const stored = await clients.find(store, client.client_id)
      const { registrationTokenHash: _, ...value } = stored?.value ?? { id: '' }
      const bare = { ...value, origin } as Parameters<typeof clients.write>[1]
      await store.commit({ set: [clients.write(clients.key(client.client_id), bare)] })
      expect((await manage('GET', client)).status).toBe(401)
      expect((await manage('GET', client, { token: 'Bearer ' })).status).toBe(401)
    },
  )

  it('is held back after thirty tries, and the honest client is not (X8)', async () => {
    const limited = await startTestGatehouse({ limits: createLimits() })
    const client = await registerClient(limited.send)
    const wrong = { on: limited, token: `Bearer ghm_${'x'.repeat(43)}` }
    const tries: number[] = []
    for (let count = 0; count < 31; count++) tries.push((await manage('GET', client, wrong)).status)
    expect(tries.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 401))
    expect(tries[30]).toBe(429)
    const refused = await manage('DELETE', client, wrong)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await manage('GET', client, { on: limited })).status).toBe(200)
    await limited.close()
  })
})

describe('replacing', () => {
  verifiesThat('X6', 'a client replaces its registration', async () => {
    const client = await registerClient(server.send, { contacts: ['ops@client.example'] })
    const changes = { client_name: 'New name', redirect_uris: [otherUri], contacts: undefined }
    const updated = await manage('PUT', client, { body: toReplacement(client, changes) })
    expect(updated.status).toBe(200)
    const { contacts: _, ...rest } = client
    expect(updated.body).toEqual({ ...rest, client_name: 'New name', redirect_uris: [otherUri] })
    expect((await manage('GET', client)).body).toEqual(updated.body)
    const audit = server.audit.find((one) => one.event === 'client.updated')
    expect(audit).toMatchObject({ clientId: client.client_id, outcome: 'ok' })
  })

  it('lets the old redirect URI lead nowhere from then on', async () => {
    const client = await registerClient(server.send)
    await manage('PUT', client, { body: toReplacement(client, { redirect_uris: [otherUri] }) })
    expect((await server.send(authorizePath(client))).status).toBe(400)
    const there = authorizePath(client, { redirect_uri: otherUri })
    expect((await server.send(there)).status).toBe(200)
  })

  it('is as lenient as registering: what cannot harm is dropped (CR-12, CR-13, CR-14)', async () => {
    const client = await registerClient(server.send)
    const { status, body } = await manage('PUT', client, {
      body: toReplacement(client, {
        grant_types: ['authorization_code', 'implicit'],
        token_endpoint_auth_method: 'none',
        logo_uri: null,
        scope: '',
        skip_consent: true,
        pkce: 'optional',
        origin: 'preregistered',
        registration_access_token: 'chosen',
        registration_client_uri: 'https://evil.example',
        client_id_issued_at: 1,
      }),
    })
    expect(status).toBe(200)
    expect(body).toEqual({ ...client, grant_types: ['authorization_code'] })
    const stored = await clients.find(server.gatehouse.context.store, client.client_id)
    expect(stored?.value).toMatchObject({ origin: 'dynamic', pkce: 'required' })
  })

  it.each([
    [
      'a script as redirect URI',
      { redirect_uris: ['javascript:alert(1)'] },
      'invalid_redirect_uri',
    ],
    ['no redirect URI', { redirect_uris: undefined }, 'invalid_redirect_uri'],
    ['a name of two lines', { client_name: 'a\nb' }, 'invalid_client_metadata'],
    ['another client id', { client_id: 'mcp_other' }, 'invalid_client_metadata'],
    ['no client id', { client_id: undefined }, 'invalid_client_metadata'],
    ['a secret for a public client', { client_secret: 'chosen' }, 'invalid_client_metadata'],
    ['a private key', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }, 'invalid_client_metadata'],
  ])(
    'is refused for %s, and nothing changes (CR-01, CR-07, CR-11, CR-16)',
    async (_, changes, code) => {
      const client = await registerClient(server.send)
      const { status, body } = await manage('PUT', client, { body: toReplacement(client, changes) })
      expect(status).toBe(400)
      expect(body).toEqual({ error: code, error_description: expect.any(String) })
      const audit = server.audit.at(-1)
      expect(audit).toMatchObject({ event: 'client.refused', clientId: client.client_id })
      expect((await manage('GET', client)).body).toEqual(client)
    },
  )

  it.each(['null', '[]', '"x"', '', '{'])('is refused for the body %s (CR-07)', async (body) => {
    const client = await registerClient(server.send)
    const refused = await manage('PUT', client, { body })
    expect(refused.status).toBe(400)
    expect(refused.body.error).toBe('invalid_client_metadata')
  })

  it('is refused with 413 beyond 32 KB (CR-08)', async () => {
    const client = await registerClient(server.send)
    const body = toReplacement(client, { software_version: 'x'.repeat(32 * 1024) })
    expect((await manage('PUT', client, { body })).status).toBe(413)
  })

  it('keeps the secret, which may be repeated and never chosen (RFC 7592 §2.2)', async () => {
    const client = await registerClient(server.send, confidential)
    for (const secret of [client.client_secret, undefined, null, '']) {
      const body = toReplacement(client, { client_secret: secret })
      const kept = await manage('PUT', client, { body })
      expect(kept.status).toBe(200)
      expect(kept.body).not.toHaveProperty('client_secret')
    }
    const chosen = toReplacement(client, { client_secret: 'chosen-by-the-client' })
    const refused = await manage('PUT', client, { body: chosen })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_client_metadata'])
    expect((await redeem(server.send, client, await person.authorize(client))).status).toBe(200)
  })

  it('gives a client that becomes confidential a secret, and takes it away again', async () => {
    const client = await registerClient(server.send)
    const asked = toReplacement(client, confidential)
    const { body } = await manage('PUT', client, { body: asked })
    expect(body.client_secret).toMatch(/^[0-9a-f]{64}$/)
    expect(body.client_secret_expires_at).toBe(0)
    const now = { ...client, client_secret: String(body.client_secret) }
    const code = await person.authorize(client)
    expect((await redeem(server.send, client, code)).body.error).toBe('invalid_client')
    expect((await redeem(server.send, now, code)).status).toBe(200)

    const back = await manage('PUT', client, { body: toReplacement(client) })
    expect(back.body).toEqual(client)
    expect((await redeem(server.send, client, await person.authorize(client))).status).toBe(200)
  })

  it('asks the people again who had their choice remembered (CN-08)', async () => {
    const client = await registerClient(server.send)
    const page = await person.browser.open(server.issuer + authorizePath(client))
    const { fields } = findForm(page, 'decision', 'allow')
    const ticked: [string, string][] = [
      ['decision', 'allow'],
      ['remember', 'yes'],
    ]
    await person.browser.post(`${server.issuer}/consent`, [...fields, ...ticked])
    const itself = { 'sec-fetch-site': 'none' }
    const skipped = await person.browser.open(server.issuer + authorizePath(client), itself)
    expect(skipped.url.searchParams.get('code')).not.toBeNull()
    await manage('PUT', client, { body: toReplacement(client, { client_name: 'Somebody else' }) })
    const again = await person.browser.open(server.issuer + authorizePath(client), itself)
    expect(again.status).toBe(200)
    expect(again.text).toContain('Somebody else')
  })

  it('prolongs the life of a client that nobody authorized, and of no other (CR-19, CR-21)', async () => {
    const own = await startTestGatehouse()
    const client = await registerClient(own.send)
    own.clock.advance(29 * day)
    await manage('PUT', client, { body: toReplacement(client), on: own })
    own.clock.advance(30 * day - 1)
    expect((await manage('GET', client, { on: own })).status).toBe(200)
    own.clock.advance(1)
    expect((await manage('GET', client, { on: own })).status).toBe(401)
    await own.close()
  })

  it('keeps a client that was authorized for ever (CR-21)', async () => {
    const own = await startTestGatehouse({ lifetimes: { sessionSeconds: 100 * day } })
    const client = await registerClient(own.send)
    await (await createPerson(own)).authorize(client)
    await manage('PUT', client, { body: toReplacement(client), on: own })
    own.clock.advance(365 * day)
    expect((await manage('GET', client, { on: own })).status).toBe(200)
    await own.close()
  })

  it('is limited like registering (X8, CR-19)', async () => {
    const rules = { points: 2, seconds: 60, everyone: { points: 100, seconds: 60 } }
    const limits = createLimits({ overrides: { register: rules } })
    const limited = await startTestGatehouse({ limits })
    const client = await registerClient(limited.send)
    const put = () => manage('PUT', client, { body: toReplacement(client), on: limited })
    expect([(await put()).status, (await put()).status]).toEqual([200, 429])
    await limited.close()
  })
})

describe('removing', () => {
  verifiesThat('X6', 'a client removes itself, and its tokens end at once', async () => {
    const client = await registerClient(server.send)
    const tokens = await redeem(server.send, client, await person.authorize(client))
    const { gid } = readClaims(tokens.body.access_token)
    const removed = await manage('DELETE', client)
    expect(removed).toMatchObject({ status: 204, body: {} })
    expect(server.gatehouse.context.revocations.isEnded(String(gid))).toBe(true)
    const call = await server.send('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokens.body.access_token}`,
        'content-type': 'application/json',
      },
      body: '{}',
    })
    expect(call.status).toBe(401)
    expect((await refresh(server.send, client, tokens.body.refresh_token)).body.error).toBe(
      'invalid_client',
    )
    expect((await server.send(authorizePath(client))).status).toBe(400)
    const events = server.audit.filter((one) => one.clientId === client.client_id)
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['client.removed', 'grant.ended']),
    )
  })

  it('is felt at the gate at once, though the store gives no hint (HA-12)', async () => {
    const clock = testClock()
    const store: Store = { ...memoryStore({ clock }), subscribe: () => () => undefined }
    const deaf = await startTestGatehouse({ clock, store })
    const client = await registerClient(deaf.send)
    const code = await (await createPerson(deaf)).authorize(client)
    const tokens = await redeem(deaf.send, client, code)
    await manage('DELETE', client, { on: deaf })
    const { gid } = readClaims(tokens.body.access_token)
    expect(deaf.gatehouse.context.revocations.isEnded(String(gid))).toBe(true)
    await deaf.close()
  })

  it('makes its token worth nothing (RFC 7592 §2.1)', async () => {
    const client = await registerClient(server.send)
    await manage('DELETE', client)
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await manage(method, client)).status).toBe(401)
    }
  })

  it('leaves every other client alone', async () => {
    const [client, other] = [await registerClient(server.send), await registerClient(server.send)]
    const tokens = await redeem(server.send, other, await person.authorize(other))
    await manage('DELETE', client)
    expect((await refresh(server.send, other, tokens.body.refresh_token)).status).toBe(200)
  })

  it('ends more grants than go into one commit', async () => {
    const client = await registerClient(server.send)
    const { store } = server.gatehouse.context
    const tokens = await redeem(server.send, client, await person.authorize(client))
    const grantId = String(readClaims(tokens.body.access_token).gid)
    const copies = Array.from({ length: 250 }, (_, n) => `copy-${String(n).padStart(20, '0')}`)
    await store.commit({
      set: copies.map((id) =>
        clientGrants.write(clientGrants.key(client.client_id, id), { userId: person.userId }),
      ),
    })
    expect((await manage('DELETE', client)).status).toBe(204)
    expect(await clientGrants.list(store, [client.client_id])).toEqual([])
    const { revocations } = server.gatehouse.context
    expect([grantId, ...copies].every((id) => revocations.isEnded(id))).toBe(true)
  })
})

describe('at the same moment', () => {
  /** A server on whose store `intrude` runs once, right before the commit that touches the key. */
  async function startIntruded(keyPrefix: string) {
    const clock = testClock()
    const inner = memoryStore({ clock })
    let intrude: (() => Promise<void>) | undefined
    const store: Store = {
      ...inner,
      async commit(change) {
        const keys = [...(change.set ?? []).map(({ key }) => key), ...(change.delete ?? [])]
        const run = intrude
        if (run && keys.some((key) => key.startsWith(keyPrefix))) {
          intrude = undefined
          await run()
        }
        return inner.commit(change)
      },
    }
    const own = await startTestGatehouse({ clock, store })
    const arm = (work: () => Promise<void>) => {
      intrude = work
    }
    return { own, arm, store, person: await createPerson(own) }
  }

  it('a redemption loses to the removal of its client: no grant appears behind it', async () => {
    const { own, arm, store, person: ada } = await startIntruded('grant/')
    const client = await registerClient(own.send)
    const code = await ada.authorize(client)
    arm(async () => {
      expect((await manage('DELETE', client, { on: own })).status).toBe(204)
    })
    const redeemed = await redeem(own.send, client, code)
    expect([redeemed.status, redeemed.body.error]).toEqual([400, 'invalid_grant'])
    expect(await store.list('grant/')).toEqual([])
    expect(await store.list('client-grant/')).toEqual([])
    await own.close()
  })

  it('a removal ends the grant of a redemption that was faster', async () => {
    const { own, arm, store, person: ada } = await startIntruded('client/')
    const client = await registerClient(own.send)
    const code = await ada.authorize(client)
    let token = ''
    arm(async () => {
      token = (await redeem(own.send, client, code)).body.access_token ?? ''
    })
    expect((await manage('DELETE', client, { on: own })).status).toBe(204)
    expect(token).not.toBe('')
    const { gid } = readClaims(token)
    expect(own.gatehouse.context.revocations.isEnded(String(gid))).toBe(true)
    expect(await store.list('grant/')).toEqual([])
    await own.close()
  })

  it('twenty codes are redeemed while their client is removed, and no grant is left', async () => {
    const own = await startTestGatehouse()
    const ada = await createPerson(own)
    const client = await registerClient(own.send)
    const codes: string[] = []
    for (let count = 0; count < 20; count++) codes.push(await ada.authorize(client))
    const [removed, ...redeemed] = await Promise.all([
      manage('DELETE', client, { on: own }),
      ...codes.map((code) => redeem(own.send, client, code)),
    ])
    expect(removed.status).toBe(204)
    expect(redeemed.every(({ status }) => [200, 400, 401].includes(status))).toBe(true)
    const { store, revocations } = own.gatehouse.context
    expect(await store.list('grant/')).toEqual([])
    for (const { body } of redeemed.filter(({ status }) => status === 200)) {
      expect(revocations.isEnded(String(readClaims(body.access_token).gid))).toBe(true)
    }
    await own.close()
  })

  it('an approval and a replacement both hold: the client is known as authorized', async () => {
    const { own, arm, person: ada } = await startIntruded('code/')
    const client = await registerClient(own.send)
    arm(async () => {
      const body = toReplacement(client, { client_name: 'New name' })
      expect((await manage('PUT', client, { body, on: own })).status).toBe(200)
    })
    const code = await ada.authorize(client)
    expect((await redeem(own.send, client, code)).status).toBe(200)
    const stored = await clients.find(own.gatehouse.context.store, client.client_id)
    expect(stored?.value.authorizedAt).toBe(own.clock.now())
    expect(stored?.value.metadata.client_name).toBe('New name')
    await own.close()
  })

  it('a replacement takes up an approval that was faster', async () => {
    const { own, arm, person: ada } = await startIntruded('client/')
    const client = await registerClient(own.send)
    arm(async () => {
      await ada.authorize(client)
    })
    const body = toReplacement(client, { client_name: 'New name' })
    expect((await manage('PUT', client, { body, on: own })).status).toBe(200)
    const stored = await clients.find(own.gatehouse.context.store, client.client_id)
    expect(stored?.value.authorizedAt).toBe(own.clock.now())
    own.clock.advance(40 * day)
    expect((await manage('GET', client, { on: own })).status).toBe(200)
    await own.close()
  })

  it('a redirect URI that is taken away while its page is open gets no code (AZ-03)', async () => {
    const own = await startTestGatehouse()
    const ada = await createPerson(own)
    const client = await registerClient(own.send)
    await ada.authorize(client)
    const page = await ada.browser.open(own.issuer + authorizePath(client))
    expect(page.status).toBe(200)
    const body = toReplacement(client, { redirect_uris: [otherUri] })
    await manage('PUT', client, { body, on: own })
    const after = await ada.browser.press(page, 'decision', 'allow')
    expect(after.status).toBe(400)
    expect(after.url.origin).toBe(own.issuer)
    await own.close()
  })

  it('a replacement loses to a removal and does not bring the client back', async () => {
    const { own, arm } = await startIntruded('client/')
    const client = await registerClient(own.send)
    arm(async () => {
      await manage('DELETE', client, { on: own })
    })
    const body = toReplacement(client)
    expect((await manage('PUT', client, { body, on: own })).status).toBe(401)
    expect(await clients.find(own.gatehouse.context.store, client.client_id)).toBeUndefined()
    await own.close()
  })
})

describe('while the store fails', () => {
  async function startFailing() {
    const clock = testClock()
    const store = failingStore(memoryStore({ clock }))
    const own = await startTestGatehouse({ clock, store })
    return { own, store, client: await registerClient(own.send) }
  }

  it.each([
    ['GET', 1],
    ['PUT', 3],
    ['DELETE', 4],
  ])(
    '%s answers 503 at every step, never 401, and can be repeated (SG-10)',
    async (method, steps) => {
      const { own, store, client } = await startFailing()
      const body = method === 'PUT' ? { body: toReplacement(client) } : {}
      for (let step = 1; step <= steps; step++) {
        store.failAt(step, 'before')
        const { status, headers } = await manage(method, client, { ...body, on: own })
        if (!store.hasFailed()) throw new Error(`There is no step ${step}`)
        expect([step, status]).toEqual([step, 503])
        expect(headers.get('retry-after')).not.toBeNull()
        store.heal()
        if (step < steps) expect((await manage('GET', client, { on: own })).status).toBe(200)
      }
      await own.close()
    },
  )

  it('a removal whose answer got lost is known by the next try (RFC 7592 §2.1)', async () => {
    const { own, store, client } = await startFailing()
    store.failOn('commit -client/', 'after')
    expect((await manage('DELETE', client, { on: own })).status).toBe(503)
    expect((await manage('DELETE', client, { on: own })).status).toBe(401)
    await own.close()
  })
})
