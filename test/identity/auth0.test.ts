import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Auth0Options, auth0 } from '../../src/identity/presets/auth0.ts'
import type { UpstreamTokens } from '../../src/identity/upstream.ts'
import { abilities, createFlow, describeUpstream, type ProviderUnderTest } from './contract.ts'
import { type StrictProvider, startStrictProvider, strictClient } from './strict-provider.ts'

type Refreshable = UpstreamTokens & { readonly refreshToken: string }

async function createProvider(): Promise<ProviderUnderTest> {
  const provider = await startStrictProvider({ suffix: '/', isGenerous: true })
  const create = (changes: Partial<Auth0Options> = {}) =>
    auth0({ ...strictClient, issuer: provider.issuer, ...changes })
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

describeUpstream('Auth0, played by a strict OpenID provider', createProvider)

describe('Auth0', () => {
  let provider: StrictProvider
  beforeAll(async () => {
    provider = await startStrictProvider({ suffix: '/', isGenerous: true })
  })
  afterAll(() => provider.close())

  const create = (changes: Partial<Auth0Options> = {}) =>
    auth0({ ...strictClient, issuer: provider.issuer, ...changes })

  it.each(['issuer with its slash', 'issuer without'])('is found by its %s', async (which) => {
    const issuer = which.endsWith('without') ? provider.issuer.slice(0, -1) : provider.issuer
    const upstream = create({ issuer, admission: { tenants: ['org_example'] } })
    const flow = createFlow()
    const callback = await provider.signIn(await upstream.start(flow), 'ada')
    expect(callback.searchParams.get('iss')).toBe(provider.issuer)
    const identity = await upstream.finish(callback, flow)
    expect(identity).toMatchObject({ login: 'ada', memberships: { tenant: 'org_example' } })
  })

  it('speaks in the name of an application, and of no other with its tokens (R2)', async () => {
    const known = new Set(['application'])
    const knowing = await startStrictProvider({
      suffix: '/',
      isGenerous: true,
      knowsPublic: (id) => known.has(id),
    })
    const upstream = create({ issuer: knowing.issuer })
    const flow = createFlow({ application: 'application' })
    const url = await upstream.start(flow)
    expect(url.searchParams.get('client_id')).toBe('application')
    const { tokens } = await upstream.finish(await knowing.signIn(url, 'ada'), flow)
    expect(tokens).toMatchObject({ application: 'application' })
    const refreshed = await upstream.refresh?.(tokens as Refreshable)
    expect(refreshed).toMatchObject({ application: 'application' })
    expect(await upstream.reverify?.(refreshed as Refreshable)).toMatchObject({ login: 'ada' })

    const stranger = { ...(refreshed as Refreshable), application: 'unknown' }
    await expect(upstream.refresh?.(stranger)).rejects.toMatchObject({ code: 'invalid_grant' })
    await upstream.revoke?.(stranger)
    await upstream.revoke?.(refreshed as Refreshable)
    const ended = upstream.refresh?.(refreshed as Refreshable)
    await expect(ended).rejects.toMatchObject({ code: 'invalid_grant' })
    await knowing.close()
  })

  it('is found by its domain', async () => {
    const asked: string[] = []
    const line: typeof fetch = async (input) => {
      asked.push(new Request(input).url)
      throw new TypeError('fetch failed')
    }
    const upstream = auth0({ ...strictClient, domain: 'example.eu.auth0.com', fetch: line })
    await expect(upstream.start(createFlow())).rejects.toMatchObject({ status: 503 })
    expect(asked).toEqual(['https://example.eu.auth0.com/.well-known/openid-configuration'])
  })

  it('is told the audience, and asked for refresh tokens without a page of consent', async () => {
    const { searchParams } = await create({ audience: 'https://api.example' }).start(createFlow())
    expect(searchParams.get('audience')).toBe('https://api.example')
    expect(searchParams.get('scope')).toContain('offline_access')
    expect(searchParams.get('prompt')).toBeNull()
    expect((await create().start(createFlow())).searchParams.has('audience')).toBe(false)
  })

  it.each([
    [{ ...strictClient }],
    [{ ...strictClient, domain: 'a.auth0.com', issuer: 'https://a.auth0.com/' }],
    [{ ...strictClient, domain: 'https://a.auth0.com' }],
    [{ ...strictClient, domain: 'a.auth0.com/x' }],
    [{ ...strictClient, issuer: 'http://a.auth0.com/' }],
  ])('refuses to be built wrong: %j', (options) => {
    expect(() => auth0(options)).toThrow(TypeError)
  })
})
