import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GitHubOptions, github } from '../../src/identity/presets/github.ts'
import { app, createGitHubEmulator, pickOnGitHub } from '../helpers/github.ts'
import { createFlow, describeUpstream, type ProviderUnderTest } from './contract.ts'

async function createGitHub() {
  const emulator = await createGitHubEmulator(['http://localhost:8787/callback/github'])
  const endpoints = { web: emulator.url, api: emulator.url }
  const create = (changes: Partial<GitHubOptions> = {}) => github({ ...app, endpoints, ...changes })
  return { emulator, create }
}

async function createProvider(): Promise<ProviderUnderTest> {
  const { emulator, create } = await createGitHub()
  return {
    upstream: create(),
    create,
    can: ['reverify', 'tell-secrets'],
    people: ['octocat', 'hubot'],
    scopes: ['read:user', 'user:email'],
    signIn: pickOnGitHub,
    close: () => emulator.close(),
  }
}

describeUpstream('GitHub', createProvider)

describe('GitHub', () => {
  let site: Awaited<ReturnType<typeof createGitHub>>
  beforeAll(async () => {
    site = await createGitHub()
  })
  afterAll(() => site.emulator.close())

  const enter = async (login: string, changes?: Partial<GitHubOptions>) => {
    const upstream = site.create(changes)
    const flow = createFlow()
    return upstream.finish(await pickOnGitHub(await upstream.start(flow), login), flow)
  }

  it('yields the numeric id, the login, the name and the verified primary address (UP-08)', async () => {
    expect(await enter('octocat')).toEqual({
      subject: expect.stringMatching(/^[1-9]\d*$/),
      login: 'octocat',
      name: 'The Octocat',
      email: 'octocat@example.com',
      emailVerified: true,
      tokens: { accessToken: expect.stringMatching(/^gho_/) },
    })
    expect((await enter('nameless')).name).toBeUndefined()
  })

  it('lets in whom the owner allowed, and tells the others who they are', async () => {
    expect((await enter('octocat', { allowedLogins: ['OctoCat'] })).login).toBe('octocat')
    expect((await enter('octocat', { allowedDomains: ['example.com'] })).login).toBe('octocat')
    await expect(enter('hubot', { allowedLogins: ['octocat'] })).rejects.toMatchObject({
      code: 'access_denied',
      reason: 'not_admitted',
      description: expect.stringMatching(/^hubot \(hubot@.*\) at GitHub may not sign in here/),
    })
  })

  it('adds its own lists to the rules of admission', async () => {
    const changes = { allowedLogins: ['octocat'], admission: { logins: ['hubot'] } }
    expect((await enter('octocat', changes)).login).toBe('octocat')
    expect((await enter('hubot', changes)).login).toBe('hubot')
    await expect(enter('hubot', { ...changes, admission: {} })).rejects.toMatchObject({
      reason: 'not_admitted',
    })
  })

  it('lets the person pick another account when they want to', async () => {
    const url = await github(app).start(createFlow(), { fresh: true })
    expect(url.searchParams.get('prompt')).toBe('select_account')
    expect((await github(app).start(createFlow())).searchParams.has('prompt')).toBe(false)
  })

  it('goes to github.com unless told otherwise', async () => {
    const url = await github(app).start(createFlow())
    expect(url.origin + url.pathname).toBe('https://github.com/login/oauth/authorize')
  })

  it.each([
    [{ ...app, clientId: '' }],
    [{ ...app, clientSecret: '' }],
    [{ ...app, endpoints: { web: 'http://github.example' } }],
    [{ ...app, endpoints: { api: 'http://github.example/api/v3' } }],
    [{ ...app, endpoints: { api: 'ftp://localhost' } }],
    [{ ...app, allowedDomains: ['not a domain'] }],
    [{ ...app, callbackPath: 'callback' }],
    [{ ...app, id: 'GitHub' }],
    [{ ...app, admission: { organizations: ['no/organisation'] } }],
    [{ ...app, admission: { teams: ['no-team'] } }],
    [{ ...app, admission: { tenants: ['t'] } }],
    [{ ...app, admission: { claims: { groups: 'admins' } } }],
  ])('refuses to be built wrong: %j', (options) => {
    expect(() => github(options)).toThrow(TypeError)
  })
})
