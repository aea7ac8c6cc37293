/** How clients come to an id beside dynamic registration: static and management mode (R2). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { auth0Management } from '../../src/identity/auth0-management.ts'
import type { GatehouseOptions, RegistrationOptions } from '../../src/options.ts'
import { findOrphans } from '../../src/server/clients/reap.ts'
import { registerClient as addClient } from '../../src/server/clients/register.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import {
  type Auth0Client,
  type Auth0Tenant,
  auth0Credentials,
  startAuth0,
} from '../helpers/auth0-management.ts'
import { failingStore } from '../helpers/failing-store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  postBody,
  type Registered,
  redeem,
  registerClient,
} from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifiesThat } from '../verifies.ts'

const json = { 'content-type': 'application/json' }
const day = 86_400
const configuredUri = 'https://chatgpt.com/connector_platform_oauth_redirect'

describe('in static mode', () => {
  let server: TestGatehouse
  beforeAll(async () => {
    server = await startTestGatehouse({ registration: { mode: 'static', clientId: 'chatgpt' } })
  })
  afterAll(() => server.close())

  const asked = { client_name: 'ChatGPT', redirect_uris: [configuredUri] }
  const post = (metadata: Record<string, unknown>, on = server) =>
    postBody(on.send, '/register', JSON.stringify({ ...asked, ...metadata }), json)

  /** Registers the client by hand, as `gatehouse clients add` does. */
  async function addByHand(on: TestGatehouse, id: string, isPublic = true): Promise<void> {
    const metadata = {
      client_name: 'Our ChatGPT',
      redirect_uris: [configuredUri, 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: isPublic ? ('none' as const) : ('client_secret_post' as const),
    }
    const added = await addClient(metadata, { origin: 'preregistered', id }, on.gatehouse.context)
    expect(added?.client.id).toBe(id)
  }

  it('says at the start and at each registration what is missing, and answers 503 until then', async () => {
    expect(server.log.lines).toContainEqual({
      level: 'warn',
      message: expect.stringMatching(
        /the client chatgpt .* is missing; add it with gatehouse clients add/,
      ),
      fields: undefined,
    })
    const { status, body } = await post({})
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable'])
    expect(server.log.lines.at(-2)?.message).toContain(
      'gatehouse clients add --public --id chatgpt',
    )
    await addByHand(server, 'chatgpt')
    expect((await post({})).status).toBe(201)
  })

  verifiesThat('R2', 'static: everyone gets the client that the owner registered', async () => {
    const { status, body } = await post({ token_endpoint_auth_method: 'client_secret_post' })
    expect(status).toBe(201)
    expect(body).toEqual({
      client_id: 'chatgpt',
      client_id_issued_at: server.clock.now(),
      client_name: 'Our ChatGPT',
      redirect_uris: [configuredUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    })
    const person = await createPerson(server)
    const client = body as unknown as Registered
    expect((await redeem(server.send, client, await person.authorize(client))).status).toBe(200)
    expect(await server.gatehouse.context.store.list('client/')).toHaveLength(1)
  })

  it('is advertised like any registration endpoint', async () => {
    const response = await server.send('/.well-known/oauth-authorization-server')
    const metadata = (await response.json()) as Record<string, unknown>
    expect(metadata.registration_endpoint).toBe(`${server.issuer}/register`)
  })

  it.each([
    [['http://127.0.0.1:51234/callback']],
    [['http://127.0.0.1:7/callback', configuredUri]],
  ])('echoes %s as asked: the port of a loopback address is free (RD-04)', async (uris) => {
    const { status, body } = await post({ redirect_uris: uris })
    expect([status, body.redirect_uris]).toEqual([201, uris])
  })

  it.each([
    [['https://evil.example/callback']],
    [[configuredUri, 'https://evil.example/callback']],
    [[`${configuredUri}/`]],
    [['http://localhost/callback']],
  ])('refuses %s, which the owner did not configure, in words that help', async (uris) => {
    const { status, body } = await post({ redirect_uris: uris })
    expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
    expect(body.error_description).toMatch(
      /is not one that this server's owner configured; ask them/,
    )
    expect(server.audit.at(-1)).toMatchObject({ event: 'client.refused', outcome: 'refused' })
  })

  it.each([
    [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    [{ client_name: 'a\nb' }, 'invalid_client_metadata'],
  ])('refuses what no mode takes: %s (CR-01, CR-11)', async (metadata, code) => {
    expect((await post(metadata)).body.error).toBe(code)
  })

  it('cannot be managed by those it was given to (RFC 7592, CR-27)', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const authorization = `Bearer ghm_${'x'.repeat(43)}`
      const path = '/register/chatgpt'
      expect((await server.send(path, { method, headers: { authorization } })).status).toBe(401)
    }
  })

  it.each([
    ['a secret', 'preregistered'],
    ['registered itself', 'dynamic'],
  ])('never gives away a client that has %s', async (_, origin) => {
    const store = memoryStore({ clock: testClock() })
    const open = await startTestGatehouse({ store })
    const own = await registerClient(open.send, { redirect_uris: [configuredUri] })
    const clientId = origin === 'dynamic' ? own.client_id : 'secret'
    if (origin === 'preregistered') await addByHand(open, clientId, false)
    const fixed = await startTestGatehouse({ store, registration: { mode: 'static', clientId } })
    const { status, body } = await post({}, fixed)
    expect(status).toBe(503)
    expect(JSON.stringify(body)).not.toContain(clientId)
    await fixed.close()
    await open.close()
  })

  it.each<[string, Pick<GatehouseOptions, 'registration' | 'dynamicRegistration'>]>([
    ['no id', { registration: { mode: 'static', clientId: '' } }],
    ['an impossible id', { registration: { mode: 'static', clientId: 'a/b' } }],
    [
      'registration switched off',
      { registration: { mode: 'static', clientId: 'x' }, dynamicRegistration: false },
    ],
  ])('does not start with %s', async (_, options) => {
    await expect(startTestGatehouse(options)).rejects.toThrow(TypeError)
  })
})

describe('in management mode', () => {
  let tenant: Auth0Tenant
  let server: TestGatehouse
  const clock = testClock()
  beforeEach(async () => {
    tenant = await startAuth0()
    server = await startTestGatehouse({ clock, registration: manage() })
  })
  afterEach(async () => {
    await server.close()
    await tenant.close()
  })

  const toApplications = () => auth0Management({ domain: tenant.url, ...auth0Credentials, clock })
  function manage(): RegistrationOptions {
    return { mode: 'management', applications: toApplications() }
  }
  const post = (on = server) =>
    postBody(on.send, '/register', JSON.stringify({ redirect_uris: [configuredUri] }), json)
  const reset = { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0' }
  const isApi = (line: string) => line.includes('/api/v2/')
  const remove = (client: Registered, on = server) =>
    on.send(`/register/${client.client_id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${String(client.registration_access_token)}` },
    })

  verifiesThat(
    'R2',
    'management: each client is an application at Auth0, and goes with it',
    async () => {
      const client = await registerClient(server.send, { client_name: 'Claude <3' })
      const [application, ...others] = [...tenant.clients.values()]
      expect(others).toEqual([])
      expect(application).toMatchObject({
        name: 'Claude 3',
        callbacks: [`${server.issuer}/callback/auth0`],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        client_metadata: {
          gatehouse_issuer: server.issuer,
          gatehouse_client_id: client.client_id,
          gatehouse_created_at: String(clock.now()),
        },
      })
      expect(client.client_id).toMatch(/^mcp_[0-9a-f]{32}$/)
      expect(JSON.stringify(client)).not.toContain(application?.client_id)
      const person = await createPerson(server)
      expect((await redeem(server.send, client, await person.authorize(client))).status).toBe(200)

      expect((await remove(client)).status).toBe(204)
      expect(tenant.clients.size).toBe(0)
    },
  )

  it('asks for one token and keeps it until shortly before it expires', async () => {
    const tokenRequests = () => tenant.requests.filter((line) => line === 'POST /oauth/token')
    await Promise.all(Array.from({ length: 5 }, () => registerClient(server.send)))
    expect(tokenRequests()).toHaveLength(1)
    clock.advance(day - 61)
    await registerClient(server.send)
    expect(tokenRequests()).toHaveLength(1)
    clock.advance(1)
    await registerClient(server.send)
    expect(tokenRequests()).toHaveLength(2)
    expect(tenant.clients.size).toBe(7)
  })

  it('asks for a new token once when Auth0 no longer takes the old one', async () => {
    await registerClient(server.send)
    tenant.expireTokens()
    await registerClient(server.send)
    expect(tenant.clients.size).toBe(2)
    tenant.fault = (line) => (isApi(line) ? { status: 401, body: '{}' } : undefined)
    tenant.requests.length = 0
    expect((await post()).status).toBe(503)
    expect(tenant.requests.filter(isApi)).toHaveLength(2)
  })

  it('tells the client how long Auth0 wants it to wait (429)', async () => {
    const at = (seconds: number) => ({
      ...reset,
      'x-ratelimit-reset': String(clock.now() + seconds),
    })
    const waits: [Record<string, string>, string][] = [
      [at(7), '7'],
      [at(-5), '1'],
      [at(3600), '60'],
      [{}, '2'],
    ]
    for (const [headers, wait] of waits) {
      tenant.fault = (line) => (isApi(line) ? { status: 429, headers } : undefined)
      const refused = await post()
      expect([refused.status, refused.body.error]).toEqual([503, 'temporarily_unavailable'])
      expect(refused.headers.get('retry-after')).toBe(wait)
    }
    expect(await server.gatehouse.context.store.list('client/')).toEqual([])
    tenant.fault = () => undefined
    expect((await post()).status).toBe(201)
  })

  it.each([
    ['token', 'a server error', { status: 500, body: 'oops' }],
    ['token', 'a refusal', { status: 401, body: '{"error":"access_denied"}' }],
    ['token', 'a reset', 'reset'],
    ['token', 'something else than JSON', { status: 200, body: '<html>' }],
    ['token', 'no token', { status: 200, body: '{}' }],
    ['api', 'a server error', { status: 503, body: '' }],
    ['api', 'a refusal', { status: 403, body: '{"errorCode":"insufficient_scope"}' }],
    ['api', 'a bad request', { status: 400, body: '{"errorCode":"invalid_body"}' }],
    ['api', 'a reset', 'reset'],
    ['api', 'a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }],
    ['api', 'something else than JSON', { status: 201, body: 'created' }],
    ['api', 'no id', { status: 201, body: '{"client_id":""}' }],
    ['api', 'ten megabytes', { status: 201, body: 'x'.repeat(10_000_000) }],
  ] as const)('nothing is half made when the %s endpoint answers %s', async (which, _, fault) => {
    tenant.fault = (line) => (isApi(line) === (which === 'api') ? fault : undefined)
    const refused = await post()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect(JSON.stringify(refused.body)).not.toMatch(/auth0|html|oops|insufficient/i)
    expect(await server.gatehouse.context.store.list('client/')).toEqual([])
    tenant.fault = () => undefined
    expect((await post()).status).toBe(201)
  })

  it('says in the log which permission is missing, never a secret', async () => {
    tenant.scope = 'read:clients'
    expect((await post()).status).toBe(503)
    expect(JSON.stringify(server.log.lines, toPlain)).toContain('auth0_status_403')
    expect(JSON.stringify(server.log.lines, toPlain)).not.toContain(auth0Credentials.clientSecret)
  })

  it('removes the application again when the store fails', async () => {
    const store = failingStore(memoryStore({ clock }))
    const failing = await startTestGatehouse({ clock, store, registration: manage() })
    store.failOn('commit client/', 'before')
    expect((await post(failing)).status).toBe(503)
    expect(tenant.requests.at(-1)).toMatch(/^DELETE \/api\/v2\/clients\//)
    expect(tenant.clients.size).toBe(0)
    await failing.close()
  })

  it('leaves the application to be reaped when store and Auth0 fail together', async () => {
    const store = failingStore(memoryStore({ clock }))
    const failing = await startTestGatehouse({ clock, store, registration: manage() })
    store.failOn('commit client/', 'before')
    tenant.fault = (line) => (line.startsWith('DELETE') ? 'reset' : undefined)
    expect((await post(failing)).status).toBe(503)
    expect(tenant.clients.size).toBe(1)
    expect(failing.log.lines.map(({ message }) => message)).toContain(
      'An application stays behind; remove it with gatehouse clients reap',
    )
    expect(await findOrphansOf(failing)).toEqual([])
    clock.advance(601)
    expect(await findOrphansOf(failing)).toMatchObject([{ kind: 'application' }])
    await failing.close()
  })

  it('removes a client at once although Auth0 is away; its application is an orphan then', async () => {
    const client = await registerClient(server.send)
    tenant.fault = (line) => (isApi(line) ? 'reset' : undefined)
    expect((await remove(client)).status).toBe(204)
    expect((await server.send(authorizePath(client))).status).toBe(400)
    tenant.fault = () => undefined
    clock.advance(601)
    const [orphan, ...others] = await findOrphansOf(server)
    expect(others).toEqual([])
    expect(orphan).toMatchObject({
      kind: 'application',
      application: { clientId: client.client_id },
    })
  })

  it('an answer that got lost leaves an orphan and no client', async () => {
    tenant.fault = (line) => (line.startsWith('POST /api') ? 'lose' : undefined)
    expect((await post()).status).toBe(503)
    tenant.fault = () => undefined
    expect(await server.gatehouse.context.store.list('client/')).toEqual([])
    clock.advance(601)
    expect(await findOrphansOf(server)).toMatchObject([{ kind: 'application' }])
  })

  it('finds orphans on both sides, page by page, and nobody else’s', async () => {
    const made = await Promise.all(Array.from({ length: 120 }, () => registerClient(server.send)))
    const applications = [...tenant.clients.values()]
    const [divorced, whole] = applications
    const widowed = applications.at(-1)
    const { store } = server.gatehouse.context
    const clientOf = (one: Auth0Client | undefined) =>
      one?.client_metadata.gatehouse_client_id ?? ''
    tenant.clients.delete(divorced?.client_id ?? '')
    await store.commit({ delete: [clients.key(clientOf(widowed))] })
    const foreign = { issuer: 'https://other.example', clientId: 'mcp_x', name: 'x', createdAt: 1 }
    await toApplications().create({ ...foreign, callback: 'https://other.example/callback' })
    tenant.clients.set('own', {
      client_id: 'own',
      name: 'Owner’s app',
      callbacks: [],
      token_endpoint_auth_method: 'none',
      client_metadata: {},
    })
    expect(await findOrphansOf(server)).toEqual([])

    clock.advance(601)
    expect(await findOrphansOf(server)).toMatchObject([
      { kind: 'application', application: { id: widowed?.client_id, clientId: clientOf(widowed) } },
      { kind: 'client', client: { id: clientOf(divorced) } },
    ])
    const kept = made.find((client) => client.client_id === clientOf(whole))
    expect((await server.send(authorizePath(kept as Registered))).status).toBe(200)
  })

  it('takes no client for an orphan whose application lost its mark but is there', async () => {
    const client = await registerClient(server.send)
    for (const application of tenant.clients.values()) application.client_metadata = {}
    clock.advance(601)
    expect(await findOrphansOf(server)).toEqual([])
    expect((await server.send(authorizePath(client))).status).toBe(200)
  })

  it('takes no client for an orphan while Auth0 cannot be asked', async () => {
    await registerClient(server.send)
    clock.advance(601)
    tenant.fault = (line) => (line.startsWith('GET /api') ? { status: 500 } : undefined)
    await expect(findOrphansOf(server)).rejects.toThrow(/try again/)
  })

  it('shares one application among those who register the same, where registrations are reused', async () => {
    const reusing = await startTestGatehouse({
      clock,
      registration: manage(),
      reuseRegistrations: true,
    })
    const ids = new Set<string>()
    for (let count = 0; count < 3; count++) ids.add((await registerClient(reusing.send)).client_id)
    expect([ids.size, tenant.clients.size]).toEqual([1, 1])
    await reusing.close()
  })

  function findOrphansOf({ gatehouse, issuer }: TestGatehouse) {
    const { store } = gatehouse.context
    return findOrphans({ store, clock, issuer, applications: toApplications() })
  }

  /** Errors hide their members from JSON. */
  function toPlain(_: string, value: unknown): unknown {
    if (!(value instanceof Error)) return value
    return { ...value, message: value.message, cause: value.cause }
  }
})

describe('the domain of Auth0', () => {
  it.each(['', 'not a domain', 'http://tenant.example', 'ftp://tenant.example'])(
    'cannot be %j',
    (domain) => {
      expect(() => auth0Management({ domain, ...auth0Credentials })).toThrow(TypeError)
    },
  )

  it('is asked over https and nowhere else', async () => {
    const asked: string[] = []
    const applications = auth0Management({
      domain: 'tenant.eu.auth0.com',
      ...auth0Credentials,
      fetch: async (input) => {
        asked.push(new Request(input).url)
        throw new TypeError('No request may leave')
      },
    })
    await expect(applications.list('x')).rejects.toThrow(/try again/)
    expect(asked).toEqual(['https://tenant.eu.auth0.com/oauth/token'])
  })
})
