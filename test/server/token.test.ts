/** POST /token before any grant is looked at: parsing and client authentication (catalogue §8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import type { Limits } from '../../src/platform/ports.ts'
import { registerClient as registerOwnClient } from '../../src/server/clients/register.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { type FailingStore, failingStore } from '../helpers/failing-store.ts'
import {
  noLimits,
  startTestGatehouse,
  type TestGatehouse,
  testClock,
} from '../helpers/gatehouse.ts'
import {
  basic,
  postBody,
  postForm,
  type Registered,
  redeem,
  refresh,
  registerClient,
  verifier,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { expectError } from '../helpers/token-error.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const unknownCode = `ghc_${'x'.repeat(43)}`
const unknownRefresh = `ghr_${'g'.repeat(22)}_${'s'.repeat(43)}_${'t'.repeat(22)}`

let store: FailingStore
let server: TestGatehouse
let person: Person
let publicClient: Registered
let secretClient: Registered
beforeAll(async () => {
  const clock = testClock()
  store = failingStore(memoryStore({ clock }))
  server = await startTestGatehouse({ store, clock })
  person = await createPerson(server)
  publicClient = await registerClient(server.send)
  secretClient = await registerClient(server.send, {
    token_endpoint_auth_method: 'client_secret_post',
  })
})
afterAll(() => server.close())

const post = (fields: Record<string, string | undefined>, headers?: Record<string, string>) =>
  postForm(server.send, '/token', fields, headers)

describe('a token request', () => {
  it.each([
    ['JSON', 'application/json'],
    ['multipart', 'multipart/form-data; boundary=x'],
    ['text', 'text/plain'],
    ['a type that only contains the right one', 'text/x; application/x-www-form-urlencoded'],
    ['a list of types', 'application/x-www-form-urlencoded, text/plain'],
  ])('is not read as %s (TK-02)', async (_, type) => {
    const body = `grant_type=refresh_token&client_id=${publicClient.client_id}`
    const answer = await postBody(server.send, '/token', body, { 'content-type': type })
    expectError(answer, 'invalid_request', 415)
  })

  it('may name a charset and spell the type in capitals (TK-02)', async () => {
    const type = { 'content-type': 'Application/X-WWW-Form-Urlencoded; Charset=UTF-8' }
    const code = await person.authorize(publicClient)
    expect((await redeem(server.send, publicClient, code, {}, type)).status).toBe(200)
  })

  it('is read up to 32 KB (TK-02)', async () => {
    const answer = await post({ grant_type: 'refresh_token', x: 'x'.repeat(32 * 1024) })
    expectError(answer, 'invalid_request', 413)
  })

  it.each(['grant_type', 'client_id', 'code', 'code_verifier', 'redirect_uri'])(
    'may give %s only once, and nothing is lost by it (TK-03)',
    async (name) => {
      const code = await person.authorize(publicClient)
      const fields = new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: publicClient.client_id,
        code,
        code_verifier: verifier,
        redirect_uri: 'https://client.example/callback',
      })
      fields.append(name, fields.get(name) ?? '')
      expectError(await postBody(server.send, '/token', fields.toString()), 'invalid_request')
      expect((await redeem(server.send, publicClient, code)).status).toBe(200)
    },
  )

  it('knows no array syntax (TK-03)', async () => {
    const answer = await post({
      grant_type: 'authorization_code',
      client_id: publicClient.client_id,
      'code[]': unknownCode,
    })
    expectError(answer, 'invalid_request')
    expect(answer.body.error_description).toBe("Parameter 'code' is missing")
  })

  it('takes empty parameters as absent and ignores unknown ones (TK-04)', async () => {
    const code = await person.authorize(publicClient)
    const extra = { client_secret: '', resource: '', scope: '', audience: 'x', nonsense: 'y' }
    expect((await redeem(server.send, publicClient, code, extra)).status).toBe(200)
  })

  it('must name a grant type that exists (TK-05)', async () => {
    const { client_id } = publicClient
    expectError(await post({ client_id }), 'invalid_request')
    for (const grant_type of ['password', 'client_credentials', '__proto__', 'Refresh_Token']) {
      expectError(await post({ client_id, grant_type }), 'unsupported_grant_type')
    }
  })

  it('may use only grant types that the client registered (TK-06)', async () => {
    const client = await registerClient(server.send, { grant_types: ['authorization_code'] })
    expectError(await refresh(server.send, client, unknownRefresh), 'unauthorized_client')
  })

  it.each([
    ['NUL', 'code=%00'],
    ['broken UTF-8', 'code=%ff%fe'],
    ['half a surrogate pair', 'code=%ed%a0%80'],
    ['NUL in a name', 'a%00b=c'],
  ])('with %s is refused, not broken (TK-18)', async (_, text) => {
    const body = `grant_type=authorization_code&client_id=${publicClient.client_id}&${text}`
    expectError(await postBody(server.send, '/token', body), 'invalid_request')
  })

  it('means the same with any cookie and origin (TK-19)', async () => {
    const cookies = [...person.browser.cookies].map(([name, value]) => `${name}=${value}`)
    const headers = { cookie: cookies.join('; '), origin: 'https://evil.example' }
    const answer = await post(
      { grant_type: 'refresh_token', refresh_token: unknownRefresh },
      headers,
    )
    expectError(answer, 'invalid_client', 401)
  })

  it('with a made-up code reads the client and nothing else (CD-14)', async () => {
    store.heal()
    for (const code of ['x', unknownCode.slice(0, -1), `${unknownCode}x`, 'ghc_../grant/x']) {
      expectError(await redeem(server.send, publicClient, code), 'invalid_grant')
    }
    expect(store.operations).toEqual(Array(4).fill(`get client/${publicClient.client_id}`))
  })
})

describe('client authentication', () => {
  it('takes the secret in the body or by Basic, whatever was registered (H1)', async () => {
    const { client_id, client_secret = '' } = secretClient
    const byBasic = { client_id: undefined, client_secret: undefined }
    const encoded = basic(encodeURIComponent(client_id), encodeURIComponent(client_secret))
    for (const headers of [basic(client_id, client_secret), encoded]) {
      const code = await person.authorize(secretClient)
      expect((await redeem(server.send, secretClient, code, byBasic, headers)).status).toBe(200)
    }
    const code = await person.authorize(secretClient)
    expect((await redeem(server.send, secretClient, code)).status).toBe(200)
  })

  it('by two methods at once is invalid_request (TK-07)', async () => {
    const { client_id, client_secret = '' } = secretClient
    const code = await person.authorize(secretClient)
    const both = await redeem(server.send, secretClient, code, {}, basic(client_id, client_secret))
    expectError(both, 'invalid_request')
    const headers = basic(client_id, client_secret)
    const same = { client_secret: undefined }
    expect((await redeem(server.send, secretClient, code, same, headers)).status).toBe(200)
  })

  it('by two Authorization fields is invalid_request (TK-03)', async () => {
    const { client_id, client_secret = '' } = secretClient
    const { authorization } = basic(client_id, client_secret)
    const fields = { grant_type: 'refresh_token', refresh_token: unknownRefresh }
    const answer = await post(fields, { authorization: `${authorization}, ${authorization}` })
    expectError(answer, 'invalid_request')
  })

  it('by Basic for another client_id than in the body is invalid_client (TK-07)', async () => {
    const { client_id, client_secret = '' } = secretClient
    const fields = { client_id: publicClient.client_id, client_secret: undefined }
    const headers = basic(client_id, client_secret)
    const answer = await redeem(server.send, secretClient, unknownCode, fields, headers)
    expectError(answer, 'invalid_client', 401)
  })

  it('never falls back from one kind of client to the other (TK-08, TK-13)', async () => {
    const withSecret = await redeem(server.send, publicClient, unknownCode, { client_secret: 'x' })
    expectError(withSecret, 'invalid_client', 401)
    const byBasic = { client_id: undefined }
    const headers = basic(publicClient.client_id, '')
    const asBasic = await redeem(server.send, publicClient, unknownCode, byBasic, headers)
    expectError(asBasic, 'invalid_client', 401)

    const code = await person.authorize(secretClient)
    const bare = { client_secret: undefined }
    expectError(await redeem(server.send, secretClient, code, bare), 'invalid_client', 401)
    const tokens = await redeem(server.send, secretClient, code)
    const { refresh_token } = tokens.body
    expectError(
      await refresh(server.send, secretClient, refresh_token, bare),
      'invalid_client',
      401,
    )
    expect((await refresh(server.send, secretClient, refresh_token)).status).toBe(200)
  })

  it('tells nobody whether a client exists (TK-10)', async () => {
    const fields = { grant_type: 'authorization_code', code: unknownCode, client_secret: 'x' }
    const wrong = await post({ ...fields, client_id: secretClient.client_id })
    const unknown = await post({ ...fields, client_id: `mcp_${'0'.repeat(32)}` })
    const impossible = await post({ ...fields, client_id: '../grant' })
    const publicOne = await post({ ...fields, client_id: publicClient.client_id })
    expect([unknown, impossible, publicOne].map(({ body }) => body)).toEqual(
      Array(3).fill(wrong.body),
    )
    expect([wrong.status, unknown.status, impossible.status, publicOne.status]).toEqual(
      Array(4).fill(401),
    )
  })

  it('challenges only who used the Authorization field (TK-11)', async () => {
    const fields = { grant_type: 'authorization_code', code: unknownCode }
    const byBody = await post({ ...fields, client_id: 'mcp_unknown' })
    expectError(byBody, 'invalid_client', 401)
    expect(byBody.headers.get('www-authenticate')).toBeNull()
    for (const headers of [basic('mcp_unknown', 'x'), { authorization: 'Basic %%%' }]) {
      const byHeader = await post(fields, headers)
      expectError(byHeader, 'invalid_client', 401)
      expect(byHeader.headers.get('www-authenticate')).toMatch(/^Basic realm="/)
    }
  })

  it('comes before the grant: whoever is unknown hears so and registers again (H8)', async () => {
    const client = { ...publicClient, client_id: `mcp_${'0'.repeat(32)}` }
    for (const token of [unknownRefresh, 'a-token-of-the-server-that-was-here-before']) {
      expectError(await refresh(server.send, client, token), 'invalid_client', 401)
    }
    for (const code of [unknownCode, 'a-code-of-the-server-that-was-here-before']) {
      const answer = await redeem(server.send, client, code)
      expectError(answer, 'invalid_client', 401)
      expect(answer.body.error_description).toContain('register again')
    }
  })

  it('keeps nothing of an id that nobody can have (TK-20)', async () => {
    const keys: string[] = []
    const spying: Limits = { ...noLimits, spend: async (_, key) => void keys.push(key) }
    const watched = await startTestGatehouse({ limits: spying })
    const client_id = 'x'.repeat(30_000)
    const fields = { client_id, grant_type: 'authorization_code', code: unknownCode }
    expectError(await postForm(watched.send, '/token', fields), 'invalid_client', 401)
    const kept = JSON.stringify([keys, watched.audit, watched.log.lines])
    expect(kept.length).toBeLessThan(1000)
    await watched.close()
  })
})

describe('a client that the owner registered by hand', () => {
  verifies('H6', async () => {
    const metadata = {
      redirect_uris: ['https://chatgpt.com/aip/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post' as const,
    }
    const choices = { origin: 'preregistered' as const, id: 'chatgpt', secret: 'a secret: + % ü' }
    const made = await registerOwnClient(metadata, choices, server.gatehouse.context)
    expect(made?.secret).toBe('a secret: + % ü')
    const client = { ...metadata, client_id: 'chatgpt', client_secret: 'a secret: + % ü' }

    for (const scope of ['user', undefined]) {
      const tokens = await redeem(server.send, client, await person.authorize(client, { scope }))
      expect(tokens.status).toBe(200)
      expect(tokens.body.scope).toBe('notes:read')
    }
    const byBasic = { client_id: undefined, client_secret: undefined }
    const plain = basic(client.client_id, client.client_secret)
    const encoded = basic(client.client_id, encodeURIComponent(client.client_secret))
    for (const headers of [plain, encoded]) {
      const code = await person.authorize(client)
      expect((await redeem(server.send, client, code, byBasic, headers)).status).toBe(200)
    }
  })
})

describe('failures are limited', () => {
  const spend = async (limited: TestGatehouse, client: Registered, secret?: string) => {
    const fields = secret === undefined ? {} : { client_secret: secret }
    return redeem(limited.send, client, unknownCode, fields)
  }

  verifiesThat('X8', 'for guesses at codes, while success stays free (TK-20)', async () => {
    const limits = createLimits({ overrides: { token: { points: 2, seconds: 60 } } })
    const limited = await startTestGatehouse({ store, clock: server.clock, limits })
    const statuses = []
    for (let guess = 0; guess < 3; guess++)
      statuses.push((await spend(limited, publicClient)).status)
    expect(statuses).toEqual([400, 400, 429])

    const refused = await spend(limited, publicClient)
    expect(refused.body.error).toBe('temporarily_unavailable')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const code = await person.authorize(publicClient)
    expect((await redeem(limited.send, publicClient, code)).status).toBe(200)
    expect((await spend(limited, secretClient)).status).toBe(400)
    await limited.close()
  })

  it('for guesses at secrets (TK-20)', async () => {
    const limits = createLimits({ overrides: { 'client-auth': { points: 2, seconds: 60 } } })
    const limited = await startTestGatehouse({ store, clock: server.clock, limits })
    const statuses = []
    for (let guess = 0; guess < 3; guess++) {
      statuses.push((await spend(limited, secretClient, `guess ${guess}`)).status)
    }
    expect(statuses).toEqual([401, 401, 429])
    await limited.close()
  })

  it('and each is one line of the audit log that names its reason (TK-21)', async () => {
    server.audit.length = 0
    await redeem(server.send, publicClient, unknownCode)
    await redeem(server.send, secretClient, unknownCode, { client_secret: 'wrong' })
    await refresh(server.send, publicClient, unknownRefresh)
    expect(server.audit.map(({ event, reason }) => [event, reason])).toEqual([
      ['token.refused', 'code_unknown'],
      ['token.refused', 'client_authentication_failed'],
      ['token.refused', 'refresh_unknown'],
    ])
  })
})
