/**
 * An OpenID provider whose answers are wrong, late or missing: each sign-in ends with the documented error,
 * nothing else is asked for, and the next one works.
 */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createFlow, toCallback } from './contract.ts'
import {
  discovery,
  garbage,
  malformed,
  passes,
  passing,
  refused,
  setScene,
} from './hostile-oidc.ts'
import { text } from './hostile-provider.ts'

const scene = setScene()

describe('a callback', () => {
  const stray = (reason: string) => ({ code: 'invalid_request', status: 400, reason })

  it.each([
    ['of another flow (UP-01)', { state: 'x', code: 'c' }, stray('upstream_state_mismatch')],
    [
      'of another issuer (UP-03)',
      { iss: 'https://a.example', code: 'c' },
      stray('upstream_issuer_mismatch'),
    ],
    ['without a code', {}, stray('upstream_code_missing')],
    [
      'with a refusal',
      { error: 'access_denied' },
      { code: 'access_denied', reason: 'upstream_denied' },
    ],
    ['with nonsense (UP-04)', { error: '<b>' }, { ...malformed, reason: 'upstream_error' }],
  ])('%s asks nobody anything', async (_, parameters, expected) => {
    const { upstream } = scene.create()
    const flow = createFlow()
    await expect(upstream.finish(toCallback(flow, parameters), flow)).rejects.toMatchObject(
      expected,
    )
    expect(scene.mock.requests).toEqual([])
  })

  it('without the issuer that was promised sends its code nowhere (RFC 9207)', async () => {
    scene.mock.document = { authorization_response_iss_parameter_supported: true }
    await expect(scene.enter(scene.create().upstream)).rejects.toMatchObject(
      stray('upstream_issuer_missing'),
    )
    expect(scene.mock.requests).not.toContain('POST /token')
  })
})

for (const path of [discovery, '/jwks', '/token', '/userinfo']) {
  describe(`${path} (UP-13)`, () => {
    it.each(passing)('is down: %s', async (_, answer) => {
      scene.mock.answers.set(path, answer)
      expect(await scene.refuse()).toMatchObject(passes)
    })

    it.each(garbage)('talks nonsense: %s', async (_, answer) => {
      scene.mock.answers.set(path, answer)
      expect(await scene.refuse()).toMatchObject({ code: 'server_error', status: 502 })
      expect(scene.mock.requests).not.toContain('GET /elsewhere')
    })

    it.each(['is silent', 'drips'])('%s until the deadline', async (how) => {
      const deadlines = [new AbortController(), new AbortController()]
      let current = 0
      scene.mock.answers.set(path, (response) => {
        const abort = () => void setImmediate(() => deadlines[0]?.abort())
        if (how === 'is silent') return abort()
        response.writeHead(200, { 'content-type': 'application/json' })
        return void response.write('{', abort)
      })
      const createDeadline = () => (deadlines[current] ?? expect.unreachable()).signal
      const { clock, upstream } = scene.create({ createDeadline })
      await expect(scene.enter(upstream)).rejects.toMatchObject(passes)
      scene.mock.reset()
      clock.advance(5)
      current = 1
      expect((await scene.enter(upstream)).subject).toBe('johndoe')
    })
  })
}

describe('the token endpoint', () => {
  it.each([
    ['invalid_grant', { code: 'access_denied', reason: 'upstream_code_refused' }],
    ['invalid_client', { ...malformed, reason: 'upstream_misconfigured' }],
    ['PHISH', { ...malformed, reason: 'upstream_error' }],
  ])('says %s', async (error, expected) => {
    scene.mock.token = () => ({ error, error_description: 'PHISH' })
    const refusal = await scene.refuse()
    expect(refusal).toMatchObject(expected)
    expect(inspect(refusal, { depth: 20 })).not.toContain('PHISH')
  })

  it('leaks no token into errors (UP-23)', async () => {
    scene.mock.claims = { iss: 'https://evil.example' }
    scene.mock.token = (answer) => ({
      ...answer,
      access_token: 'at-secret',
      refresh_token: 'rt-secret',
    })
    const shown = inspect(await scene.refuse(), { depth: 20, showHidden: true })
    expect(shown).not.toMatch(/at-secret|rt-secret|eyJ|johndoe/)
  })

  it.each([0, -1, '3600', null, {}])(
    'gives expires_in %j, which says nothing (UP-14)',
    async (value) => {
      scene.mock.token = (answer) => ({ ...answer, expires_in: value })
      expect((await scene.enter(scene.create().upstream)).tokens?.expiresAt).toBeUndefined()
    },
  )

  it('may say how long the refresh token lives', async () => {
    scene.mock.token = (answer) => ({ ...answer, refresh_token_expires_in: 7200 })
    const { clock, upstream } = scene.create()
    expect((await scene.enter(upstream)).tokens).toMatchObject({
      expiresAt: clock.now() + 3600,
      refreshExpiresAt: clock.now() + 7200,
    })
  })
})

describe('userinfo', () => {
  it('about another person is refused', async () => {
    scene.mock.userinfo = { sub: 'another', email: 'admin@example.com', email_verified: true }
    expect(await scene.refuse()).toMatchObject(refused('sub'))
  })

  it('that refuses our token is nonsense at a sign-in, and the end of the tokens later', async () => {
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
    const answer = text('{"error":"invalid_token"}', 401, headers)
    scene.mock.answers.set('/userinfo', answer)
    expect(await scene.refuse()).toMatchObject({ ...malformed, reason: 'upstream_token_refused' })
    const { upstream } = scene.create()
    for (const dead of [answer, text('', 401)]) {
      scene.mock.answers.set('/userinfo', dead)
      await expect(upstream.reverify?.({ accessToken: 'dead' })).rejects.toMatchObject({
        code: 'invalid_grant',
        reason: 'upstream_grant_ended',
      })
    }
  })

  it('is not asked when the ID token says enough', async () => {
    scene.mock.claims = { email: 'john@example.com', email_verified: true, groups: [] }
    expect((await scene.enter(scene.create().upstream)).email).toBe('john@example.com')
    expect(scene.mock.requests).not.toContain('GET /userinfo')
  })

  it('verifies no address but its own (UP-08)', async () => {
    scene.mock.claims = { email: 'boss@example.com' }
    scene.mock.userinfo = { email: 'john@example.com', email_verified: true, groups: ['staff'] }
    expect(await scene.enter(scene.create().upstream)).toMatchObject({
      login: 'johndoe',
      email: 'boss@example.com',
      emailVerified: false,
      memberships: { claims: { groups: ['staff'] } },
    })
  })

  it('is not verified by an ID token that names no address (UP-08)', async () => {
    scene.mock.claims = { email_verified: true }
    scene.mock.userinfo = { email: 'boss@example.com', email_verified: false }
    const { upstream } = scene.create({ admission: { emails: ['boss@example.com'] } })
    await expect(scene.enter(upstream)).rejects.toMatchObject({ reason: 'not_admitted' })
  })

  it.each([
    ['a nickname', { nickname: 'boss' }, ['boss']],
    [
      'a username that is an address nobody verified',
      {
        preferred_username: 'Boss@corp.example',
        email: 'boss@corp.example',
        email_verified: false,
      },
      ['boss@corp.example'],
    ],
  ])('with %s is no way around rules about logins (UP-08)', async (_, userinfo, logins) => {
    scene.mock.userinfo = userinfo
    const { upstream } = scene.create({ admission: { logins } })
    await expect(scene.enter(upstream)).rejects.toMatchObject({ reason: 'not_admitted' })
  })

  it.each([
    [{ email: 7, name: {}, preferred_username: [] }, { login: 'johndoe' }],
    [{ email: 'j@example.com', email_verified: 'true' }, { login: 'j@example.com' }],
    [{ email: 'j@example.com', email_verified: 'yes' }, { login: 'johndoe' }],
    [{ preferred_username: 'john', email: 'j@example.com' }, { login: 'john' }],
    [{ name: 'x'.repeat(301), nickname: 'jd' }, { login: 'johndoe' }],
  ])('saying %j yields %j', async (userinfo, expected) => {
    scene.mock.userinfo = userinfo
    const identity = await scene.enter(scene.create().upstream)
    expect(identity).toMatchObject(expected)
    expect(identity.name).toBeUndefined()
  })
})
