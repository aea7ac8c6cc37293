import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OAuthError } from '../../src/errors.ts'
import { type GitHubOptions, github } from '../../src/identity/presets/github.ts'
import type { Identity, UpstreamFlow } from '../../src/identity/upstream.ts'
import { createFlow, toCallback } from './contract.ts'
import { createTestClock } from './fixtures.ts'
import {
  type Answer,
  createHostileProvider,
  type HostileProvider,
  json,
  text,
  well,
} from './hostile-provider.ts'

let provider: HostileProvider
beforeAll(async () => {
  provider = await createHostileProvider()
})
afterAll(() => provider.close())
beforeEach(() => {
  Object.assign(provider, well)
  provider.requests.length = 0
})

function create(changes: Partial<GitHubOptions> = {}) {
  const endpoints = { web: provider.url, api: provider.url }
  return github({ clientId: 'id', clientSecret: 'secret', endpoints, ...changes })
}

function finish(changes?: Partial<GitHubOptions>, flow = createFlow()): Promise<Identity> {
  return create(changes).finish(toCallback(flow, { code: 'the-code' }), flow)
}

/** What a callback is refused with, before anything is asked of the provider. */
async function refuse(parameters: Record<string, string>, flow: UpstreamFlow = createFlow()) {
  const error = await create()
    .finish(toCallback(flow, parameters), flow)
    .then(
      () => expect.unreachable(),
      (error: OAuthError) => error,
    )
  expect(provider.requests).toEqual([])
  return error
}

describe('the exchange', () => {
  it('sends code, verifier, callback and credentials in the body (UP-05)', async () => {
    const flow = createFlow()
    await finish({}, flow)
    expect(Object.fromEntries(provider.tokenRequest())).toEqual({
      grant_type: 'authorization_code',
      code: 'the-code',
      code_verifier: flow.codeVerifier,
      redirect_uri: flow.redirectUri,
      client_id: 'id',
      client_secret: 'secret',
    })
  })

  it('asks who it is with the token of this exchange only (UP-07)', async () => {
    let authorization: string | undefined
    provider.user = (response, request) => {
      authorization = request.headers.authorization
      well.user(response, request)
    }
    const flow = createFlow()
    await create().finish(toCallback(flow, { code: 'c', access_token: 'injected' }), flow)
    expect(authorization).toBe('Bearer gho_upstream')
  })

  it.each([
    [3600, 3600],
    [28_800.9, 28_800],
    [0, undefined],
    [-1, undefined],
    ['3600', undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
    ['1e400', undefined],
  ])('takes expires_in %j as %j seconds (UP-14)', async (expiresIn, seconds) => {
    const clock = createTestClock()
    provider.token = json({ access_token: 't', token_type: 'bearer', expires_in: expiresIn })
    const { tokens } = await finish({ clock })
    expect(tokens?.expiresAt).toBe(seconds && clock.now() + seconds)
  })

  it('takes an endless expires_in as unknown (UP-14)', async () => {
    provider.token = text('{"access_token":"t","token_type":"bearer","expires_in":1e400}')
    expect((await finish()).tokens).toEqual({ accessToken: 't' })
  })

  it('keeps a refresh token, and reads members that are null as absent (UP-13)', async () => {
    const token = { access_token: 't', token_type: 'Bearer', refresh_token: 'r', scope: null }
    provider.token = json({ ...token, id_token: null, error: null })
    expect((await finish()).tokens).toEqual({ accessToken: 't', refreshToken: 'r' })
  })

  it('uses an address only when it is the primary one and verified (UP-08)', async () => {
    provider.emails = json([
      { email: 'second@example.com', primary: false, verified: true },
      { email: 'first@example.com', primary: true, verified: false },
    ])
    const identity = await finish()
    expect(identity.email).toBeUndefined()
    expect(identity.emailVerified).toBeUndefined()
  })

  it('does without addresses when the app may not see them', async () => {
    provider.emails = json({ message: 'Resource not accessible by integration' }, 403)
    expect(await finish()).toMatchObject({ subject: '583231', login: 'octocat' })
  })
})

describe('a callback', () => {
  it.each([
    ['access_denied', 'access_denied', 'upstream_denied'],
    ['login_required', 'access_denied', 'upstream_denied'],
    ['temporarily_unavailable', 'temporarily_unavailable', 'upstream_unavailable'],
    ['redirect_uri_mismatch', 'server_error', 'upstream_misconfigured'],
    ['server_error', 'server_error', 'upstream_error'],
    ['<script>alert(1)</script>', 'server_error', 'upstream_error'],
    ['__proto__', 'server_error', 'upstream_error'],
    ['', 'server_error', 'upstream_error'],
  ])('with error %s becomes %s (%s) in our own words (UP-04)', async (error, code, reason) => {
    const refused = await refuse({ error, error_description: 'Call 0800-PHISH' })
    expect(refused).toMatchObject({ code, reason })
    expect(inspect(refused, { depth: 20 })).not.toMatch(/PHISH|alert|__proto__/)
  })

  it('with an error is judged by its state first (UP-04)', async () => {
    expect(await refuse({ error: 'access_denied', state: 'x' })).toMatchObject({
      code: 'invalid_request',
      reason: 'upstream_state_mismatch',
    })
  })

  it('of another issuer is refused before the code goes anywhere (UP-03)', async () => {
    const iss = 'https://evil.example/login/oauth'
    const mismatch = { code: 'invalid_request', status: 400, reason: 'upstream_issuer_mismatch' }
    expect(await refuse({ code: 'c', iss })).toMatchObject(mismatch)
    expect(await refuse({ error: 'access_denied', iss })).toMatchObject(mismatch)
    expect(await refuse({ code: 'c', iss: '' })).toMatchObject(mismatch)
  })

  it('of the right issuer is fine (UP-03)', async () => {
    const flow = createFlow()
    const callback = toCallback(flow, { code: 'c', iss: `${provider.url}/login/oauth` })
    expect((await create().finish(callback, flow)).login).toBe('octocat')
  })

  it('without a code, or with two, is refused', async () => {
    expect(await refuse({})).toMatchObject({ reason: 'upstream_code_missing' })
    expect(await refuse({ code: '' })).toMatchObject({ reason: 'upstream_code_missing' })
    const flow = createFlow()
    const twice = toCallback(flow, { code: 'a' })
    twice.searchParams.append('code', 'b')
    await expect(create().finish(twice, flow)).rejects.toMatchObject({
      code: 'invalid_request',
      reason: 'upstream_callback_malformed',
    })
  })
})

describe('a provider that is not well', () => {
  const endpoints = ['token', 'user', 'emails'] as const
  const huge = JSON.stringify({ access_token: 't', token_type: 'bearer', x: 'x'.repeat(70_000) })
  const hangUp: Answer = (response) => response.destroy()
  const stopMidway: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{"access_token":')
    response.socket?.end()
  }

  const passing: [string, Answer][] = [
    ['500', json({ error: 'invalid_grant' }, 500)],
    ['503 with HTML', text('<h1>Unicorn!</h1>', 503, { 'content-type': 'text/html' })],
    ['429', json({}, 429)],
    ['a connection closed at once', hangUp],
    ['a body cut off', stopMidway],
  ]
  for (const endpoint of endpoints) {
    it.each(passing)(
      `is unavailable when its ${endpoint} endpoint answers %s (UP-13)`,
      async (_, answer) => {
        provider[endpoint] = answer
        await expect(finish()).rejects.toMatchObject({
          code: 'temporarily_unavailable',
          status: 503,
          retryAfterSeconds: expect.any(Number),
        })
      },
    )

    it(`is unavailable when its ${endpoint} endpoint is silent until the deadline (UP-13)`, async () => {
      const deadline = new AbortController()
      provider[endpoint] = () => deadline.abort()
      const refused = finish({ createDeadline: () => deadline.signal })
      await expect(refused).rejects.toMatchObject({ code: 'temporarily_unavailable', status: 503 })
    })

    it(`is unavailable when its ${endpoint} endpoint drips until the deadline (UP-13)`, async () => {
      const deadline = new AbortController()
      provider[endpoint] = (response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('{', () => setImmediate(() => deadline.abort()))
      }
      const refused = finish({ createDeadline: () => deadline.signal })
      await expect(refused).rejects.toMatchObject({ code: 'temporarily_unavailable', status: 503 })
    })
  }

  const garbage: [string, Answer][] = [
    ['HTML', text('<h1>Sign in</h1>', 200, { 'content-type': 'text/html' })],
    ['nothing', text('')],
    ['half a document', text('{"access_token":')],
    ['an array of nothing useful', json([1])],
    ['null', json(null)],
    ['a string', json('x')],
    ['401', json({ message: 'Bad credentials' }, 401)],
    ['a huge body', text(huge)],
    [
      'a gzip bomb',
      text(gzipSync(Buffer.alloc(10_000_000, 32)), 200, { 'content-encoding': 'gzip' }),
    ],
    ['a redirect', text('', 302, { location: 'http://127.0.0.1:1/' })],
    ['an empty object in the wrong place', json({ access_token: 7, id: 'x', login: null })],
  ]
  for (const endpoint of endpoints) {
    it.each(garbage)(
      `talks nonsense when its ${endpoint} endpoint answers %s (UP-13)`,
      async (_, answer) => {
        provider[endpoint] = answer
        await expect(finish()).rejects.toMatchObject({ code: 'server_error', status: 502 })
      },
    )
  }

  it('may send 64 KiB and no more, counted after decompression (UP-13)', async () => {
    const fill = (bytes: number) => {
      const frame = JSON.stringify({ ...token, filler: '' })
      return Buffer.from(JSON.stringify({ ...token, filler: 'x'.repeat(bytes - frame.length) }))
    }
    const token = { access_token: 't', token_type: 'bearer' }
    const zipped = { 'content-encoding': 'gzip' }
    provider.token = text(gzipSync(fill(65_536)), 200, zipped)
    expect((await finish()).tokens?.accessToken).toBe('t')
    provider.token = text(gzipSync(fill(65_537)), 200, zipped)
    await expect(finish()).rejects.toMatchObject({ reason: 'upstream_too_large', status: 502 })
  })

  it.each([
    ['bad_verification_code', 'access_denied', 'upstream_code_refused'],
    ['invalid_grant', 'access_denied', 'upstream_code_refused'],
    ['unverified_user_email', 'access_denied', 'upstream_denied'],
    ['incorrect_client_credentials', 'server_error', 'upstream_misconfigured'],
    ['something_new', 'server_error', 'upstream_error'],
  ])('is understood when it sends %s as 200 (UP-13)', async (error, code, reason) => {
    provider.token = json({ error, error_description: 'PHISH' })
    const refused = expect(finish()).rejects
    await refused.toMatchObject({ code, reason, description: expect.not.stringContaining('PHISH') })
  })

  it('is understood when it sends errors as 400', async () => {
    provider.token = json({ error: 'bad_verification_code' }, 400)
    await expect(finish()).rejects.toMatchObject({ reason: 'upstream_code_refused' })
  })

  it.each([
    { id: '583231', login: 'octocat' },
    { id: 1.5, login: 'octocat' },
    { id: -1, login: 'octocat' },
    { id: 1e20, login: 'octocat' },
    { login: 'octocat' },
    { id: 1, login: '' },
    { id: 1, login: ['octocat'] },
    { id: 1, login: 'octocat', name: {} },
  ])('names nobody with %j (UP-13)', async (user) => {
    provider.user = json(user)
    await expect(finish()).rejects.toMatchObject({ code: 'server_error' })
  })

  it('cannot be reached at all', async () => {
    const gone = await createHostileProvider()
    await gone.close()
    const refused = finish({ endpoints: { web: gone.url, api: gone.url } })
    await expect(refused).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  it('leaks no token into errors (UP-23)', async () => {
    provider.token = json({ access_token: 'gho_secret', token_type: 'mac' })
    const error = await finish().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'server_error', cause: expect.any(Error) })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('gho_secret')
  })
})
