import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Upstream } from '../../src/identity/upstream.ts'
import { createFlow, describeUpstream, toCallback } from './contract.ts'
import { startProvider } from './generic-provider.ts'

describeUpstream('Any OAuth 2.0 provider', async () => {
  const provider = await startProvider()
  return {
    upstream: provider.create(),
    create: provider.create,
    can: ['refresh', 'reverify', 'revoke', 'tell-dead-tokens', 'tell-secrets'],
    people: ['ann', 'bob'],
    scopes: ['profile'],
    signIn: provider.signIn,
    close: provider.close,
  }
})

let provider: Awaited<ReturnType<typeof startProvider>>
beforeEach(async () => {
  provider = await startProvider()
})
afterEach(() => provider.close())

describe('a profile', () => {
  const paths = {
    subject: 'data.id',
    login: 'data.nick',
    email: 'data.mail.primary',
    emailVerified: 'data.mail.ok',
    name: 'data.name',
    groups: 'data.groups',
  }
  const data = {
    id: 41,
    nick: 'ann',
    mail: { primary: 'ann@corp.example', ok: true },
    name: 'Ann',
    groups: ['staff'],
  }
  const read = async (changes: Record<string, unknown>) => {
    provider.state.profile = () => ({ data: { ...data, ...changes }, groups: ['forged'] })
    return provider.enter(provider.create({ profile: paths }))
  }

  it('is read where its owner says', async () => {
    expect(await read({})).toMatchObject({
      subject: '41',
      login: 'ann',
      email: 'ann@corp.example',
      emailVerified: true,
      name: 'Ann',
      memberships: { claims: { groups: ['staff'], data: expect.anything() } },
    })
  })

  it('needs a login no more than a name: the subject stands in', async () => {
    const identity = await read({ nick: undefined, name: undefined, mail: undefined })
    expect(identity).toMatchObject({ subject: '41', login: '41' })
    expect(identity).not.toHaveProperty('email')
    expect(identity).not.toHaveProperty('emailVerified')
    expect(identity).not.toHaveProperty('name')
  })

  it.each([
    [true, true],
    ['true', true],
    [false, false],
    ['yes', false],
    [1, false],
    [null, undefined],
    [undefined, undefined],
  ])('says of an address that it was verified with %j: %j (UP-08)', async (ok, verified) => {
    expect((await read({ mail: { ...data.mail, ok } })).emailVerified).toBe(verified)
  })

  it('without a place for it never has a verified address (UP-08)', async () => {
    provider.state.profile = () => ({ data, email_verified: true, emailVerified: true })
    const upstream = provider.create({
      profile: { subject: 'data.id', email: 'data.mail.primary' },
    })
    expect((await provider.enter(upstream)).emailVerified).toBeUndefined()
    const strict = provider.create({
      profile: { subject: 'data.id', email: 'data.mail.primary' },
      admission: { domains: ['corp.example'] },
    })
    await expect(provider.enter(strict)).rejects.toMatchObject({ reason: 'admission_unknown' })
  })

  it.each([
    [{ data: { id: '' } }],
    [{ data: { id: null } }],
    [{ data: { id: 2 ** 53 } }],
    [{ data: { id: 1.5 } }],
    [{ data: { id: 'x'.repeat(501) } }],
    [{ data: { id: { value: 1 } } }],
    [{ data: [] }],
    [{ id: 41 }],
    [[]],
    ['41'],
    [null],
  ])('names nobody with %j (UP-13)', async (answer) => {
    provider.state.profile = () => answer
    await expect(provider.enter(provider.create())).rejects.toMatchObject({
      code: 'server_error',
      status: 502,
    })
  })

  it('is not looked for on prototypes', async () => {
    provider.state.profile = () => ({})
    const upstream = provider.create({ profile: { subject: 'constructor.name' } })
    await expect(provider.enter(upstream)).rejects.toMatchObject({ code: 'server_error' })
  })

  it('is what rules of admission look at, groups by the name that its owner gave', async () => {
    provider.state.profile = () => ({ data, role: 'editor', groups: ['forged'] })
    const admits = (claims: Record<string, string>) =>
      provider.enter(provider.create({ profile: paths, admission: { claims } }))
    await admits({ groups: 'staff' })
    await admits({ role: 'editor' })
    await expect(admits({ groups: 'forged' })).rejects.toMatchObject({ reason: 'not_admitted' })
  })
})

describe('the client', () => {
  const tokenRequest = () => provider.received.find(({ path }) => path === '/token')

  it('proves itself in the body unless told to in the header', async () => {
    await provider.enter(provider.create())
    expect(tokenRequest()?.form.get('client_secret')).toBe('secret')
    provider.received.length = 0
    await provider.enter(provider.create({ clientAuthentication: 'client_secret_basic' }))
    expect(tokenRequest()?.form.has('client_secret')).toBe(false)
    expect(tokenRequest()?.authorization).toBe(`Basic ${btoa('id:secret')}`)
  })

  it('asks with the parameters that its owner adds, and with nothing that is ours overwritten', async () => {
    const authorizationParameters = { audience: 'api', state: 'fixed', code_challenge: 'fixed' }
    const flow = createFlow()
    const upstream = provider.create({ authorizationParameters, scopes: [] })
    const { searchParams } = await upstream.start(flow)
    expect(searchParams.get('audience')).toBe('api')
    expect(searchParams.getAll('state')).toEqual([flow.state])
    expect(searchParams.get('code_challenge')).not.toBe('fixed')
    expect(searchParams.has('scope')).toBe(false)
  })

  it('asks anew when that is wanted', async () => {
    const { searchParams } = await provider.create().start(createFlow(), { fresh: true })
    expect(searchParams.get('prompt')).toBe('login')
  })

  it('believes the issuer it was told, or the origin of the pages (UP-03)', async () => {
    const flow = createFlow()
    const come = async (upstream: Upstream, iss: string) => {
      const callback = await provider.signIn(await upstream.start(flow), 'ann')
      callback.searchParams.set('iss', iss)
      return upstream.finish(callback, flow)
    }
    const forge = 'https://forge.example'
    await come(provider.create(), provider.url)
    await come(provider.create({ issuer: forge }), forge)
    await expect(come(provider.create(), forge)).rejects.toMatchObject({
      reason: 'upstream_issuer_mismatch',
    })
  })

  it('ends the refresh token and the access token (RFC 7009)', async () => {
    const { tokens = expect.unreachable() } = await provider.enter(provider.create())
    await provider.create().revoke?.(tokens)
    const revoked = provider.received.filter(({ path }) => path === '/revoke')
    expect(revoked.map(({ form }) => [form.get('token'), form.get('token_type_hint')])).toEqual([
      [tokens.refreshToken, 'refresh_token'],
      [tokens.accessToken, 'access_token'],
    ])
  })

  it('ends nothing where the provider has no endpoint for it', async () => {
    const upstream = provider.create({ revocationEndpoint: undefined })
    const { tokens = expect.unreachable() } = await provider.enter(upstream)
    await upstream.revoke?.(tokens)
    expect(provider.received.some(({ path }) => path === '/revoke')).toBe(false)
  })

  it('tries again later while the secret is wrong', async () => {
    const { tokens = expect.unreachable() } = await provider.enter(provider.create())
    const revoked = provider.create({ clientSecret: 'wrong' }).revoke?.(tokens)
    await expect(revoked).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  it('refuses the callback of another flow before anything is asked (UP-01)', async () => {
    const flow = createFlow()
    const callback = toCallback(flow, { code: 'c', state: 'other' })
    await expect(provider.create().finish(callback, flow)).rejects.toMatchObject({
      reason: 'upstream_state_mismatch',
    })
    expect(provider.received).toEqual([])
  })
})

describe('wrong options', () => {
  it.each<[Record<string, unknown>]>([
    [{ profile: undefined }],
    [{ profile: {} }],
    [{ profile: { subject: '' } }],
    [{ profile: { subject: '.id' } }],
    [{ profile: { subject: 'data..id' } }],
    [{ profile: { subject: 'id', mail: 'x' } }],
    [{ profile: { subject: 'id', email: ['x'] } }],
    [{ profileEndpoint: 'http://forge.example/me' }],
    [{ profileEndpoint: undefined }],
    [{ tokenEndpoint: 'ftp://forge.example' }],
    [{ authorizationEndpoint: undefined }],
    [{ revocationEndpoint: 'http://forge.example/revoke' }],
    [{ clientSecret: '' }],
    [{ clientSecret: undefined }],
    [{ id: 'My Forge' }],
    [{ callbackPath: '//evil' }],
    [{ admission: { organizations: ['corp'] } }],
  ])('are a TypeError: %j', (changes) => {
    expect(() => provider.create(changes)).toThrow(TypeError)
  })
})
