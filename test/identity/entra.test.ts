import { createEmulator } from 'emulate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EntraOptions, entra } from '../../src/identity/presets/entra.ts'
import { createFlow, describeUpstream, knownCallback, type ProviderUnderTest } from './contract.ts'
import { pickPerson } from './emulated.ts'
import { createMockProvider, type MockProvider } from './mock-provider.ts'

const app = { clientId: '00000003-0000-0000-c000-000000000000', clientSecret: 'emulated-secret' }
const personal = '9188040d-6c67-4c5b-b112-36a304b66dad'
const contoso = '11111111-2222-3333-4444-555555555555'
const fabrikam = '66666666-7777-8888-9999-000000000000'

async function createProvider(): Promise<ProviderUnderTest> {
  const emulator = await createEmulator({
    service: 'microsoft',
    port: 0,
    seed: {
      microsoft: {
        users: [
          { email: 'ada@outlook.example', name: 'Ada' },
          { email: 'bob@outlook.example', name: 'Bob' },
        ],
        oauth_clients: [
          {
            client_id: app.clientId,
            client_secret: app.clientSecret,
            name: 'Gatehouse',
            redirect_uris: [knownCallback],
          },
        ],
      },
    },
  })
  const create = (changes: Partial<EntraOptions> = {}) =>
    entra({ ...app, tenant: personal, authority: emulator.url, ...changes })
  return {
    upstream: create(),
    create,
    can: ['refresh', 'reverify', 'tell-dead-tokens', 'tell-secrets', 'tell-callbacks'],
    people: ['ada@outlook.example', 'bob@outlook.example'],
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    signIn: pickPerson,
    close: () => emulator.close(),
  }
}

describeUpstream('Entra', createProvider)

describe('Entra for many tenants', () => {
  const authority = 'https://login.microsoftonline.com'
  let mock: MockProvider
  beforeAll(async () => {
    mock = await createMockProvider(authority)
  })
  afterAll(() => mock.close())

  /** What Microsoft says of somebody of this tenant. */
  const toClaims = (tid: string, claims: object = {}) => ({
    iss: `${authority}/${tid}/v2.0`,
    sub: 'pairwise',
    oid: 'aaaaaaaa-0000-0000-0000-000000000001',
    tid,
    preferred_username: 'ada@contoso.example',
    email: 'ada@contoso.example',
    ...claims,
  })

  const enter = async (claims: object, changes: Partial<EntraOptions> = {}) => {
    mock.reset()
    mock.document = { issuer: `${authority}/{tenantid}/v2.0` }
    mock.claims = claims
    const upstream = entra({ ...app, tenant: 'organizations', fetch: mock.fetch, ...changes })
    const flow = createFlow()
    return upstream.finish(await mock.signIn(await upstream.start(flow)), flow)
  }

  it('puts the tenant of the token into the issuer that all share (UP-11)', async () => {
    expect(await enter(toClaims(contoso))).toMatchObject({
      subject: `${contoso}:aaaaaaaa-0000-0000-0000-000000000001`,
      login: 'ada@contoso.example',
      memberships: { tenant: contoso },
    })
    const foreign = { ...toClaims(contoso), iss: `${authority}/${fabrikam}/v2.0` }
    await expect(enter(foreign)).rejects.toMatchObject({ reason: 'upstream_iss_refused' })
    const evil = { ...toClaims(contoso), iss: `https://evil.example/${contoso}/v2.0` }
    await expect(enter(evil)).rejects.toMatchObject({ reason: 'upstream_iss_refused' })
  })

  it('tells people of two tenants apart by tenant and object (UP-08)', async () => {
    const [here, there] = [await enter(toClaims(contoso)), await enter(toClaims(fabrikam))]
    expect(here.subject).not.toBe(there.subject)
  })

  it('lets personal accounts in where they were asked for alone', async () => {
    await expect(enter(toClaims(personal))).rejects.toMatchObject({ reason: 'not_admitted' })
    expect((await enter(toClaims(personal), { tenant: 'common' })).subject).toMatch(/^9188040d-/)
  })

  it('admits tenants by rule (R4, UP-11)', async () => {
    const admission = { tenants: [contoso] }
    expect((await enter(toClaims(contoso), { admission })).login).toBe('ada@contoso.example')
    await expect(enter(toClaims(fabrikam), { admission })).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'not_admitted',
    })
  })

  it.each([
    [{}, false],
    [{ xms_edov: false }, false],
    [{ xms_edov: 0 }, false],
    [{ email_verified: true }, false],
    [{ xms_edov: true }, true],
    [{ xms_edov: '1' }, true],
  ])('takes an address with %j for verified: %j (UP-08)', async (claims, verified) => {
    expect((await enter(toClaims(contoso, claims))).emailVerified).toBe(verified)
    const rule = enter(toClaims(contoso, claims), { admission: { domains: ['contoso.example'] } })
    await (verified ? expect(rule).resolves.toBeDefined() : expect(rule).rejects.toThrow())
  })

  it('refuses rules about groups that Entra left out for being too many', async () => {
    const overage = toClaims(contoso, {
      _claim_names: { groups: 'src1' },
      _claim_sources: {
        src1: { endpoint: 'https://graph.microsoft.com/v1.0/me/getMemberObjects' },
      },
    })
    for (const admission of [
      { claims: { groups: ['staff'] } },
      { deny: { claims: { groups: ['guests'] } } },
    ]) {
      await expect(enter(overage, { admission })).rejects.toMatchObject({
        code: 'access_denied',
        reason: 'admission_unknown',
      })
    }
    expect((await enter(overage)).login).toBe('ada@contoso.example')
  })

  it.each([
    { oid: undefined },
    { tid: undefined, iss: `${authority}/undefined/v2.0` },
    { tid: '..', iss: `${authority}/../v2.0` },
  ])('names nobody with %j', async (change) => {
    await expect(enter(toClaims(contoso, change))).rejects.toMatchObject({ status: 502 })
  })

  it('never asks userinfo and never sends a resource', async () => {
    await enter({ ...toClaims(contoso), email: undefined })
    expect(mock.requests).not.toContain('GET /userinfo')
    const url = await entra({ ...app, tenant: 'common', fetch: mock.fetch }).start(createFlow())
    expect(url.searchParams.has('resource')).toBe(false)
    expect(mock.tokenRequest.has('resource')).toBe(false)
  })

  it.each([
    [{ ...app, tenant: 'contoso.onmicrosoft.com' }],
    [{ ...app, tenant: contoso.toUpperCase().replace('1', 'A') }],
    [{ ...app, tenant: 'common', authority: 'https://login.microsoftonline.us' }],
    [{ ...app, tenant: contoso, clientSecret: '' }],
  ])('refuses to be built wrong: %j', (options) => {
    expect(() => entra(options)).toThrow(TypeError)
  })
})
