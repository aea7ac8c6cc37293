import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { oidc } from '../../src/identity/oidc.ts'
import type { OidcOptions } from '../../src/identity/oidc-options.ts'
import {
  abilities,
  createFlow,
  describeUpstream,
  knownCallback,
  type ProviderUnderTest,
} from './contract.ts'
import {
  type StrictOptions,
  type StrictProvider,
  startStrictProvider,
  strictClient,
} from './strict-provider.ts'

async function createProvider(options: StrictOptions = {}): Promise<ProviderUnderTest> {
  const provider = await startStrictProvider(options)
  const create = (changes: Partial<OidcOptions> = {}) =>
    oidc({ ...strictClient, issuer: provider.issuer, ...changes })
  return {
    upstream: create(),
    create,
    can: abilities,
    people: ['ada', 'bob'],
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    signIn: provider.signIn,
    close: provider.close,
  }
}

describeUpstream('A strict OpenID provider', createProvider)

describe('A strict OpenID provider', () => {
  let provider: StrictProvider
  beforeAll(async () => {
    provider = await startStrictProvider()
  })
  afterAll(() => provider.close())

  const create = (changes: Partial<OidcOptions> = {}) =>
    oidc({ ...strictClient, issuer: provider.issuer, ...changes })
  const enter = async (changes: Partial<OidcOptions> = {}, login = 'ada', at = provider) => {
    const upstream = oidc({ ...strictClient, issuer: at.issuer, ...changes })
    const flow = createFlow()
    const callback = await at.signIn(await upstream.start(flow), login)
    return { upstream, callback, identity: await upstream.finish(callback, flow) }
  }

  it('is asked at userinfo for what its ID token lacks', async () => {
    const { identity } = await enter({ scopes: ['groups'] })
    expect(identity).toMatchObject({
      subject: 'account-of-ada',
      login: 'ada',
      name: 'ada',
      email: 'ada@example.com',
      emailVerified: true,
      memberships: { claims: { groups: ['staff', 'admins'] } },
      tokens: { expiresAt: expect.any(Number), refreshToken: expect.any(String) },
    })
  })

  it('names itself in the callback, and has to (RFC 9207)', async () => {
    const upstream = create()
    const flow = createFlow()
    const callback = await provider.signIn(await upstream.start(flow), 'ada')
    expect(callback.searchParams.get('iss')).toBe(provider.issuer)
    callback.searchParams.delete('iss')
    await expect(upstream.finish(callback, flow)).rejects.toMatchObject({
      code: 'invalid_request',
      status: 400,
      reason: 'upstream_issuer_missing',
    })
  })

  it.each(['PS256', 'ES256', 'EdDSA'] as const)('may sign with %s', async (idTokenAlgorithm) => {
    const other = await startStrictProvider({ idTokenAlgorithm })
    expect((await enter({}, 'ada', other)).identity.login).toBe('ada')
    const rsaOnly = enter({ idTokenAlgorithms: ['RS256'] }, 'ada', other)
    await expect(rsaOnly).rejects.toMatchObject({ code: 'server_error', status: 502 })
    await other.close()
  })

  it('takes the secret as Basic, however odd it is', async () => {
    const other = await startStrictProvider({ clientAuthentication: 'client_secret_basic' })
    const clientAuthentication = 'client_secret_basic'
    expect((await enter({ clientAuthentication }, 'ada', other)).identity.login).toBe('ada')
    await other.close()
  })

  it('may know us as a public client', async () => {
    const other = await startStrictProvider({ clientAuthentication: 'none' })
    const { identity } = await enter({ clientSecret: undefined }, 'ada', other)
    expect(identity.login).toBe('ada')
    await other.close()
  })

  it('gives refresh tokens for offline_access with consent, and none without', async () => {
    const { searchParams } = await create().start(createFlow())
    expect(searchParams.get('prompt')).toBe('consent')
    const { identity } = await enter({ offlineAccess: false })
    expect(identity.tokens?.refreshToken).toBeUndefined()
    const asked = await create({ offlineAccess: false }).start(createFlow())
    expect(asked.searchParams.get('prompt')).toBeNull()
  })

  it('is told to ask the person anew', async () => {
    const { searchParams } = await create().start(createFlow(), { fresh: true })
    expect(searchParams.get('prompt')).toBe('login consent')
  })

  it('answers a reverification from the refresh token, once, when it is told to', async () => {
    const { upstream, identity } = await enter({ reverifyWith: 'refresh-token' })
    const tokens = identity.tokens ?? expect.unreachable()
    const again = await upstream.reverify?.(tokens)
    expect(again?.subject).toBe(identity.subject)
    expect(again?.tokens?.refreshToken).not.toBe(tokens.refreshToken)
    await expect(upstream.reverify?.(tokens)).rejects.toMatchObject({ code: 'invalid_grant' })
    const without = upstream.reverify?.({ accessToken: tokens.accessToken })
    await expect(without).rejects.toMatchObject({ code: 'invalid_grant' })
  })

  it('takes rules about any claim', async () => {
    const changes = { scopes: ['groups'], admission: { claims: { groups: 'staff' } } }
    expect((await enter(changes)).identity.login).toBe('ada')
    await expect(enter(changes, 'bob')).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'not_admitted',
      description: expect.stringContaining('bob'),
    })
  })

  it('takes an admission of our own', async () => {
    const admission = () => ({ allowed: true }) as const
    expect((await enter({ admission })).identity.login).toBe('ada')
  })

  it('finds an issuer that is another, byte for byte', async () => {
    const problem = await create({ issuer: `${provider.issuer}/` }).findProblem?.(knownCallback)
    expect(problem).toContain(`its issuer is "${provider.issuer}", not "${provider.issuer}/"`)
  })

  it('has nothing to say of a provider that is down', async () => {
    const gone = await startStrictProvider()
    await gone.close()
    const upstream = create({ issuer: gone.issuer })
    expect(await upstream.findProblem?.(knownCallback)).toBeUndefined()
    const unavailable = { code: 'temporarily_unavailable', status: 503 }
    await expect(upstream.start(createFlow())).rejects.toMatchObject(unavailable)
    await expect(upstream.reverify?.({ accessToken: 'a' })).rejects.toMatchObject(unavailable)
    await expect(upstream.revoke?.({ accessToken: 'a' })).rejects.toMatchObject(unavailable)
  })

  it('is called by its host, or what the owner calls it', () => {
    expect(create()).toMatchObject({ id: 'oidc', label: new URL(provider.issuer).host })
    expect(create({ id: 'work', label: 'Work' })).toMatchObject({ id: 'work', label: 'Work' })
  })

  it.each([
    [{ id: 'Not Good' }],
    [{ clientId: '' }],
    [{ clientSecret: '' }],
    [{ issuer: 'http://sso.example' }],
    [{ issuer: 'sso.example' }],
    [{ issuer: 'https://sso.example/?tenant=1' }],
    [{ issuer: 'https://sso.example/.well-known/openid-configuration' }],
    [{ idTokenAlgorithms: ['none'] }],
    [{ idTokenAlgorithms: ['HS256'], clientSecret: undefined }],
    [{ clockToleranceSeconds: -1 }],
    [{ clockToleranceSeconds: Number.NaN }],
    [{ admission: { tenants: ['x'] } }],
  ])('refuses to be built wrong: %j', (changes) => {
    expect(() => create(changes)).toThrow(TypeError)
  })
})
