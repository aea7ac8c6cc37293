import { createEmulator } from 'emulate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GoogleOptions, google } from '../../src/identity/presets/google.ts'
import { createFlow, describeUpstream, knownCallback, type ProviderUnderTest } from './contract.ts'
import { pickPerson } from './emulated.ts'

const app = { clientId: 'gatehouse.apps.example', clientSecret: 'emulated-secret' }

async function createGoogle() {
  const emulator = await createEmulator({
    service: 'google',
    port: 0,
    seed: {
      google: {
        users: [
          { email: 'ada@example.com', name: 'Ada', hd: 'example.com' },
          { email: 'bob@gmail.com', name: 'Bob' },
          { email: 'eve@example.com', name: 'Eve', hd: '', email_verified: false },
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
  const create = (changes: Partial<GoogleOptions> = {}) =>
    google({ ...app, issuer: emulator.url, ...changes })
  return { emulator, create }
}

async function createProvider(): Promise<ProviderUnderTest> {
  const { emulator, create } = await createGoogle()
  return {
    upstream: create(),
    create,
    can: ['refresh', 'reverify', 'revoke', 'tell-secrets', 'tell-callbacks'],
    people: ['ada@example.com', 'bob@gmail.com'],
    scopes: ['openid', 'profile', 'email'],
    signIn: pickPerson,
    close: () => emulator.close(),
  }
}

describeUpstream('Google', createProvider)

describe('Google', () => {
  let site: Awaited<ReturnType<typeof createGoogle>>
  beforeAll(async () => {
    site = await createGoogle()
  })
  afterAll(() => site.emulator.close())

  const enter = async (login: string, changes?: Partial<GoogleOptions>) => {
    const upstream = site.create(changes)
    const flow = createFlow()
    return upstream.finish(await pickPerson(await upstream.start(flow), login), flow)
  }
  const ask = async (changes: Partial<GoogleOptions> = {}, fresh = false) =>
    Object.fromEntries((await site.create(changes).start(createFlow(), { fresh })).searchParams)

  it('yields the verified address as login, and the Workspace as tenant (UP-08)', async () => {
    expect(await enter('ada@example.com')).toMatchObject({
      login: 'ada@example.com',
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada',
      memberships: { tenant: 'example.com', claims: { hd: 'example.com' } },
    })
    expect((await enter('bob@gmail.com')).memberships?.tenant).toBeUndefined()
  })

  it('takes no address that is not verified for a login (UP-08)', async () => {
    const identity = await enter('eve@example.com')
    expect(identity).toMatchObject({ email: 'eve@example.com', emailVerified: false })
    expect(identity.login).toBe(identity.subject)
    const rules = { admission: { logins: ['eve@example.com'] } }
    await expect(enter('eve@example.com', rules)).rejects.toMatchObject({ reason: 'not_admitted' })
  })

  it('asks for refresh tokens as Google wants it, never with offline_access (UP-19)', async () => {
    expect(await ask()).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      scope: 'openid profile email',
    })
    const { access_type, prompt } = await ask({ offlineAccess: false })
    expect([access_type, prompt]).toEqual([undefined, undefined])
  })

  it('lets people choose their account when they are to be asked anew', async () => {
    expect((await ask({}, true)).prompt).toBe('select_account consent')
  })

  it('admits one Workspace by what Google says, not by the address', async () => {
    const hostedDomain = 'example.com'
    expect((await ask({ hostedDomain })).hd).toBe('example.com')
    expect((await enter('ada@example.com', { hostedDomain })).name).toBe('Ada')
    for (const stranger of ['bob@gmail.com', 'eve@example.com']) {
      await expect(enter(stranger, { hostedDomain })).rejects.toMatchObject({
        code: 'access_denied',
        reason: 'not_admitted',
      })
    }
  })

  it('takes rules about tenants', async () => {
    const admission = { tenants: ['example.com'] }
    expect((await enter('ada@example.com', { admission })).name).toBe('Ada')
    await expect(enter('bob@gmail.com', { admission })).rejects.toMatchObject({
      code: 'access_denied',
    })
  })

  it.each([
    [{ ...app, hostedDomain: '' }],
    [{ ...app, clientId: '' }],
    [{ ...app, issuer: 'http://accounts.example' }],
  ])('refuses to be built wrong: %j', (options) => {
    expect(() => google(options)).toThrow(TypeError)
  })
})
