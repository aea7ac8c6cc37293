import { createEmulator } from 'emulate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OktaOptions, okta } from '../../src/identity/presets/okta.ts'
import {
  abilities,
  createFlow,
  describeUpstream,
  knownCallback,
  type ProviderUnderTest,
} from './contract.ts'
import { pickPerson } from './emulated.ts'

const app = { clientId: '0oa-gatehouse', clientSecret: 'emulated-secret' }

async function createOkta() {
  const client = {
    client_id: app.clientId,
    client_secret: app.clientSecret,
    name: 'Gatehouse',
    redirect_uris: [knownCallback],
  }
  const emulator = await createEmulator({
    service: 'okta',
    port: 0,
    seed: {
      okta: {
        users: [
          {
            okta_id: '00u_ada',
            login: 'ada@example.com',
            email: 'ada@example.com',
            first_name: 'Ada',
          },
          { login: 'bob@example.com', email: 'bob@example.com', first_name: 'Bob' },
        ],
        groups: [{ okta_id: '00g_staff', name: 'staff' }],
        group_memberships: [{ group_okta_id: '00g_staff', user_okta_id: '00u_ada' }],
        oauth_clients: [{ ...client, auth_server_id: 'default' }],
      },
    },
  })
  const create = (changes: Partial<OktaOptions> = {}) =>
    okta({ ...app, issuer: `${emulator.url}/oauth2/default`, ...changes })
  return { emulator, create }
}

async function createProvider(): Promise<ProviderUnderTest> {
  const { emulator, create } = await createOkta()
  return {
    upstream: create(),
    create,
    can: abilities,
    people: ['ada@example.com', 'bob@example.com'],
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    signIn: pickPerson,
    close: () => emulator.close(),
  }
}

describeUpstream('Okta', createProvider)

describe('Okta', () => {
  let site: Awaited<ReturnType<typeof createOkta>>
  beforeAll(async () => {
    site = await createOkta()
  })
  afterAll(() => site.emulator.close())

  const enter = async (login: string, changes?: Partial<OktaOptions>) => {
    const upstream = site.create(changes)
    const flow = createFlow()
    const callback = await pickPerson(await upstream.start(flow), login)
    return { upstream, identity: await upstream.finish(callback, flow) }
  }

  it('yields the login, the verified address and what the scope groups gives', async () => {
    const { identity } = await enter('ada@example.com', { scopes: ['groups'] })
    expect(identity).toMatchObject({
      login: 'ada@example.com',
      email: 'ada@example.com',
      emailVerified: true,
      memberships: { claims: { groups: expect.arrayContaining(['staff']) } },
    })
  })

  it('takes rules about groups, at the sign-in and later (R4)', async () => {
    const changes = { scopes: ['groups'], admission: { claims: { groups: ['staff'] } } }
    const { upstream, identity } = await enter('ada@example.com', changes)
    const again = await upstream.reverify?.(identity.tokens ?? expect.unreachable())
    expect(again?.subject).toBe(identity.subject)
    await expect(enter('bob@example.com', changes)).rejects.toMatchObject({ code: 'access_denied' })
  })

  it('can be asked later by a refresh token, for claims that only the ID token has (R4)', async () => {
    const { upstream, identity } = await enter('ada@example.com', { reverifyWith: 'refresh-token' })
    const renewed: string[] = []
    const again = await upstream.reverify?.(
      identity.tokens ?? expect.unreachable(),
      ({ accessToken }) => void renewed.push(accessToken),
    )
    expect(again).toMatchObject({ subject: identity.subject, tokens: { accessToken: renewed[0] } })
  })

  it('asks for refresh tokens without a page of consent each time', async () => {
    const { searchParams } = await site.create().start(createFlow())
    expect(searchParams.get('scope')).toBe('openid profile email offline_access')
    expect(searchParams.get('prompt')).toBeNull()
    const without = await site.create({ offlineAccess: false }).start(createFlow())
    expect(without.searchParams.get('scope')).toBe('openid profile email')
  })

  it('asks people anew when it is told to', async () => {
    const { searchParams } = await site.create().start(createFlow(), { fresh: true })
    expect(searchParams.get('prompt')).toBe('login')
  })

  it("says which issuer it is when the organisation's is mixed up with a custom one", async () => {
    const mixed = site.create({ issuer: `${site.emulator.url}/oauth2/absent` })
    expect(await mixed.findProblem?.(knownCallback)).toMatch(/oauth2\/absent.*404/)
  })

  it('refuses rules about tenants, which Okta never tells', () => {
    expect(() => site.create({ admission: { tenants: ['x'] } })).toThrow(TypeError)
  })
})
