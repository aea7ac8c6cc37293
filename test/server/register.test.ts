/** POST /register: what is accepted, what is refused, what is kept (catalogue §2, RFC 7591). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { cursor } from '../../src/profiles/clients/cursor.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  postBody,
  type Registered,
  redeem,
  refresh,
  registerClient,
  type TokenAnswer,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const day = 86_400
const redirectUri = 'https://client.example/callback'

let outbound = 0
let server: TestGatehouse
let person: Person
beforeAll(async () => {
  server = await startTestGatehouse({
    lifetimes: { sessionSeconds: 400 * day },
    fetch: async () => {
      outbound += 1
      throw new TypeError('No request may leave')
    },
  })
  person = await createPerson(server)
})
afterAll(() => server.close())

const json = { 'content-type': 'application/json' }

function post(body: unknown, headers: Record<string, string> = json): Promise<TokenAnswer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return postBody(server.send, '/register', text, headers)
}

function postMetadata(metadata: Record<string, unknown>): Promise<TokenAnswer> {
  return post({ client_name: 'Test client', redirect_uris: [redirectUri], ...metadata })
}

describe('a registration', () => {
  it('of a name and a redirect URI makes a confidential client (H1, D3, CR-15)', async () => {
    const { status, headers, body } = await post({
      client_name: 'ChatGPT Hansard Search',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    })
    expect(status).toBe(201)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('pragma')).toBe('no-cache')
    expect(headers.get('content-type')).toBe('application/json')
    expect(body).toEqual({
      client_id: expect.stringMatching(/^mcp_[0-9a-f]{32}$/),
      client_id_issued_at: server.clock.now(),
      client_secret: expect.stringMatching(/^[0-9a-f]{64}$/),
      client_secret_expires_at: 0,
      client_name: 'ChatGPT Hansard Search',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      registration_access_token: expect.stringMatching(/^ghm_[\w-]{43}$/),
      registration_client_uri: `${server.issuer}/register/${String(body.client_id)}`,
    })
  })

  it('has no null, no fraction and no member of another type, so that no client chokes on it', async () => {
    const { body } = await postMetadata({ scope: '', logo_uri: null, contacts: null })
    const values = Object.values(body)
    expect(values).not.toContain(null)
    expect(values.filter((value) => typeof value === 'number').every(Number.isInteger)).toBe(true)
    expect(values.flat().every((value) => ['string', 'number'].includes(typeof value))).toBe(true)
  })

  it('of a public client has no secret, not even an empty one (CR-15)', async () => {
    const { body } = await postMetadata({ token_endpoint_auth_method: 'none' })
    expect(body).not.toHaveProperty('client_secret')
    expect(body).not.toHaveProperty('client_secret_expires_at')
  })

  it('keeps of a secret and of the registration access token a hash only (CR-15)', async () => {
    const { body } = await postMetadata({ token_endpoint_auth_method: 'client_secret_post' })
    const [entry] = await server.gatehouse.context.store.get([clients.key(String(body.client_id))])
    expect(entry?.value).toContain('secretHash')
    expect(entry?.value).not.toContain(String(body.client_secret))
    expect(entry?.value).not.toContain(String(body.registration_access_token))
  })

  it('keeps and echoes only what it knows, and no privilege (CR-12, CR-13, CR-24)', async () => {
    const { status, body } = await postMetadata({
      token_endpoint_auth_method: 'none',
      client_id: 'https://evil.example/client',
      client_secret: 'chosen',
      id: 'chosen',
      origin: 'preregistered',
      pkce: 'optional',
      require_pkce: false,
      skip_consent: true,
      trusted: true,
      secretHash: 'x',
      authorizedAt: 1,
      userId: 'x',
    })
    expect(status).toBe(201)
    const metadata = {
      client_name: 'Test client',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    }
    const now = server.clock.now()
    const {
      client_id: id,
      registration_access_token: _,
      registration_client_uri: __,
      ...echoed
    } = body
    expect(echoed).toEqual({ client_id_issued_at: now, ...metadata })
    expect(id).toMatch(/^mcp_[0-9a-f]{32}$/)
    const stored = await clients.find(server.gatehouse.context.store, String(id))
    expect(stored?.value).toEqual({
      id,
      origin: 'dynamic',
      metadata,
      pkce: 'required',
      registrationTokenHash: expect.any(String),
      createdAt: now,
    })
  })

  it('drops grant types we do not have and says so (CR-14)', async () => {
    const { body } = await postMetadata({
      grant_types: ['authorization_code', 'implicit', 'password', 'refresh_token'],
    })
    expect(body.grant_types).toEqual(['authorization_code', 'refresh_token'])
  })

  it('lets a web client use loopback, as design §1 settles (CR-25)', async () => {
    const { status } = await postMetadata({
      application_type: 'web',
      redirect_uris: ['http://localhost:8912/callback', 'http://127.0.0.1/cb'],
    })
    expect(status).toBe(201)
  })

  it('takes the private-use schemes of real apps beside https and loopback (CR-06)', async () => {
    const redirectUris = [
      ...(cursor.redirects.uris ?? []),
      'com.example.app:/callback',
      redirectUri,
    ]
    const { status, body } = await postMetadata({ redirect_uris: redirectUris })
    expect(status).toBe(201)
    expect(body.redirect_uris).toEqual(redirectUris)
  })

  it('fetches nothing, whatever it names (CR-17)', async () => {
    const links = { logo_uri: 'https://a.example/l.png', client_uri: 'https://a.example' }
    const { status } = await postMetadata({
      ...links,
      jwks_uri: 'https://169.254.169.254/jwks',
      sector_identifier_uri: 'https://a.example/sector',
    })
    expect(status).toBe(201)
    expect(outbound).toBe(0)
  })

  verifiesThat('H7', 'a line with the id, and an audit event with the redirect URI', async () => {
    const client = await registerClient(server.send)
    const messages = server.log.lines.map(({ message }) => message)
    expect(messages).toContain(`Registered client: ${client.client_id}`)
    const event = server.audit.find(
      (one) => one.event === 'client.registered' && one.clientId === client.client_id,
    )
    expect(event?.details).toMatchObject({ redirect_uris: [redirectUri] })
  })
})

describe('a registration is refused', () => {
  async function expectRefusal(body: unknown, code: string): Promise<void> {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({ error: code, error_description: expect.any(String) })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  }

  it.each([
    ['a script', 'javascript:alert(1)'],
    ['data', 'DaTa:text/html,x'],
    ['a line break', 'java\nscript:x'],
    ['an empty fragment', `${redirectUri}#`],
    ['user information', 'https://a@b.example/'],
    ['a wildcard host', 'https://*.a.example/'],
    ['dot segments', 'https://a.example/../x'],
    ['encoded dots', 'https://a.example/%2e%2e/x'],
    ['a scheme that starts programs', 'intent://cb'],
    ['plain http elsewhere', 'http://a.example/cb'],
    ['two thousand characters', `${redirectUri}/${'x'.repeat(2048)}`],
    ['a number', 7],
  ])('for %s as redirect URI (CR-01, CR-03, CR-04, CR-05, D22)', async (_, uri) => {
    await expectRefusal({ redirect_uris: [redirectUri, uri] }, 'invalid_redirect_uri')
  })

  it.each([
    ['none', undefined],
    ['an empty list', []],
    ['a string', redirectUri],
    ['eleven', Array.from({ length: 11 }, (_, n) => `https://client.example/${n}`)],
  ])('for %s in place of a list of redirect URIs (CR-07, CR-08)', async (_, uris) => {
    await expectRefusal({ client_name: 'x', redirect_uris: uris }, 'invalid_redirect_uri')
  })

  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['nothing', ''],
    ['broken JSON', '{"redirect_uris":['],
    ['deep JSON', `{"x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('for %s as body (CR-07, CR-08)', async (_, body) => {
    await expectRefusal(body, 'invalid_client_metadata')
  })

  it.each([
    ['a long name', { client_name: 'x'.repeat(129) }],
    ['a name that turns around', { client_name: 'a\u202Eb' }],
    ['a name of two lines', { client_name: 'a\nb' }],
    ['a script as logo', { logo_uri: 'javascript:x' }],
    ['a script as German logo', { 'logo_uri#de': 'javascript:x' }],
    ['implicit only', { grant_types: ['implicit'] }],
    ['a private key', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }],
    ['keys twice', { jwks: { keys: [] }, jwks_uri: 'https://a.example/jwks' }],
  ])('for %s (CR-08, CR-09, CR-11, CR-14, CR-16)', async (_, metadata) => {
    await expectRefusal({ redirect_uris: [redirectUri], ...metadata }, 'invalid_client_metadata')
  })

  it('with 413 when it is larger than 32 KB (CR-08)', async () => {
    const answer = await postMetadata({ software_version: 'x'.repeat(32 * 1024) })
    expect(answer.status).toBe(413)
    expect(answer.body.error).toBe('invalid_request')
  })

  it('when it is not UTF-8', async () => {
    const response = await server.send('/register', {
      method: 'POST',
      headers: json,
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    })
    expect(response.status).toBe(400)
  })

  it('and the audit log says why', async () => {
    server.audit.length = 0
    await post({ redirect_uris: ['javascript:alert(1)'] })
    expect(server.audit).toEqual([
      expect.objectContaining({
        event: 'client.refused',
        outcome: 'refused',
        reason: expect.stringMatching(/^redirect/),
      }),
    ])
  })
})

describe('registered clients', () => {
  it('are known after a restart and to every other instance (H1, CR-22)', async () => {
    const client = await registerClient(server.send)
    const { store } = server.gatehouse.context
    const other = await startTestGatehouse({ store, clock: server.clock })
    const code = await person.authorize(client)
    expect((await redeem(other.send, client, code)).status).toBe(200)
    await other.close()
  })

  it('exist before the client is told so (CR-22)', async () => {
    const clock = testClock()
    const store = failingStore(memoryStore({ clock }))
    const failing = await startTestGatehouse({ store, clock })
    store.failAt(1, 'before')
    await expect(registerClient(failing.send)).rejects.toThrow(/503.*temporarily_unavailable/)
    await failing.close()
  })

  it('each keep the code that was made for them when one app registers twice (CR-23)', async () => {
    const first = await registerClient(server.send)
    const second = await registerClient(server.send)
    expect(second.client_id).not.toBe(first.client_id)
    const codes = [await person.authorize(first), await person.authorize(second)]
    expect((await redeem(server.send, second, codes[1] ?? '')).status).toBe(200)
    expect((await redeem(server.send, first, codes[0] ?? '')).status).toBe(200)
  })

  it('go after thirty days when nobody ever authorized them (CR-19)', async () => {
    const client = await registerClient(server.send)
    server.clock.advance(30 * day - 1)
    expect((await server.send(authorizePath(client))).status).toBe(200)
    server.clock.advance(1)
    expect((await server.send(authorizePath(client))).status).toBe(400)
  })

  it('stay for ever once they were authorized (CR-21)', async () => {
    const client = await registerClient(server.send)
    const tokens = await redeem(server.send, client, await person.authorize(client))
    let token = tokens.body.refresh_token
    for (let month = 0; month < 3; month++) {
      server.clock.advance(29 * day)
      const again = await refresh(server.send, client, token)
      expect(again.status).toBe(200)
      token = again.body.refresh_token
    }
    await server.gatehouse.context.store.sweep(10_000)
    expect((await server.send(authorizePath(client))).status).toBe(200)
  })
})

describe('a client that registers the same again, where registrations are reused', () => {
  async function startReusing() {
    const clock = testClock()
    const store = failingStore(memoryStore({ clock }))
    const reusing = await startTestGatehouse({ clock, store, reuseRegistrations: true })
    const isKnown = async (client: Registered) =>
      (await reusing.send(authorizePath(client))).status === 200
    return { reusing, clock, store, isKnown }
  }

  it('lives on from then, though nobody authorized it yet (CR-21)', async () => {
    const { reusing, clock, isKnown } = await startReusing()
    const client = await registerClient(reusing.send)
    for (let month = 0; month < 3; month++) {
      clock.advance(29 * day)
      expect((await registerClient(reusing.send)).client_id).toBe(client.client_id)
    }
    clock.advance(30 * day - 1)
    expect(await isKnown(client)).toBe(true)
    clock.advance(1)
    expect(await isKnown(client)).toBe(false)
    expect((await registerClient(reusing.send)).client_id).not.toBe(client.client_id)
    await reusing.close()
  })

  it('costs a write at most once a day', async () => {
    const { reusing, clock, store } = await startReusing()
    const commits = () => store.operations.filter((name) => name.startsWith('commit'))
    await registerClient(reusing.send)
    clock.advance(day - 1)
    store.heal()
    await registerClient(reusing.send)
    expect(commits()).toEqual([])
    clock.advance(1)
    await registerClient(reusing.send)
    expect(commits()).toHaveLength(1)
    await reusing.close()
  })

  it('is answered although another instance was faster to prolong it', async () => {
    const { reusing, clock, store } = await startReusing()
    const client = await registerClient(reusing.send)
    clock.advance(2 * day)
    store.failOn('commit client/', 'lost')
    expect((await registerClient(reusing.send)).client_id).toBe(client.client_id)
    expect(store.hasFailed()).toBe(true)
    await reusing.close()
  })

  it('gets no token to manage what others share (CR-27)', async () => {
    const { reusing } = await startReusing()
    expect(await registerClient(reusing.send)).not.toHaveProperty('registration_access_token')
    const secret = { token_endpoint_auth_method: 'client_secret_post' }
    const confidential = await registerClient(reusing.send, secret)
    expect(confidential).toHaveProperty('registration_access_token')
    await reusing.close()
  })

  it('never gets the id of a client that somebody else manages', async () => {
    const clock = testClock()
    const store = memoryStore({ clock })
    const before = await startTestGatehouse({ clock, store })
    const managed = await registerClient(before.send)
    const reusing = await startTestGatehouse({ clock, store, reuseRegistrations: true })
    await (await createPerson(reusing)).authorize(managed)
    expect((await registerClient(reusing.send)).client_id).not.toBe(managed.client_id)
    await reusing.close()
    await before.close()
  })
})

describe('the limits of registration', () => {
  it('let sixty clients behind one address register at once (CR-20)', async () => {
    const limited = await startTestGatehouse({ limits: createLimits() })
    const made = await Promise.all(Array.from({ length: 60 }, () => registerClient(limited.send)))
    expect(new Set(made.map((client) => client.client_id)).size).toBe(60)
    await limited.close()
  })

  it.each([
    ['one network', { points: 2, seconds: 60, everyone: { points: 100, seconds: 60 } }],
    ['everyone together', { points: 100, seconds: 60, everyone: { points: 2, seconds: 60 } }],
  ])('answer 429 when they are reached by %s (X8, CR-19)', async (_, rules) => {
    const limits = createLimits({ overrides: { register: rules } })
    const limited = await startTestGatehouse({ limits })
    const body = JSON.stringify({ redirect_uris: [redirectUri] })
    const register = () => postBody(limited.send, '/register', body, json)
    expect([(await register()).status, (await register()).status]).toEqual([201, 201])
    const refused = await register()
    expect(refused.status).toBe(429)
    expect(refused.body.error).toBe('temporarily_unavailable')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    await limited.close()
  })
})

verifies('D3', async () => {
  expect((await postMetadata({})).status).toBe(201)
})
