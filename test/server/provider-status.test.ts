/** The status document and the list of providers (S3, S9). */
import { afterEach, describe, expect, it } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { instantUpstream } from '../helpers/instant-upstream.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const running: TestGatehouse[] = []
afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
})

async function start(options: Parameters<typeof startTestGatehouse>[0]): Promise<TestGatehouse> {
  const site = await startTestGatehouse(options)
  running.push(site)
  return site
}

const github = {
  ...instantUpstream(() => 'https://github.example'),
  id: 'github',
  label: 'GitHub',
  callbackPath: '/github/oauth/callback',
}

/** The cookie of a user with a role. */
async function signIn({ gatehouse, issuer }: TestGatehouse, role: 'owner' | 'user') {
  const { users, sessions } = gatehouse.context
  const user = await users.addLocal(`${role}@example.com`, 'correct horse battery', role)
  const session = await sessions.open(user.record.value.id)
  const prefix = issuer.startsWith('https:') ? '__Host-' : ''
  return { headers: { cookie: `${prefix}gatehouse-session=${session}` } }
}

async function read(site: TestGatehouse, path: string, init?: RequestInit): Promise<unknown> {
  const answer = await site.send(path, init)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  return answer.json()
}

describe('the status document', () => {
  verifies('S9', async () => {
    const site = await start({
      issuer: 'http://localhost:3000',
      paths: { base: '/auth/oauth' },
      upstreams: [github],
      localSignIn: true,
      signingAlgorithm: 'HS256',
      hs256Secret: Buffer.alloc(32, 'shared'),
    })
    expect(await read(site, '/auth/oauth/health', await signIn(site, 'owner'))).toEqual({
      providers: {
        available: ['github', 'local'],
        trusted: ['github'],
        redirectUri: 'http://localhost:3000/github/oauth/callback',
      },
      tokens: { accessTokenExpiry: 3600, refreshTokenExpiry: 2_592_000, algorithm: 'HS256' },
      sessions: { timeout: 86_400, maxPerUser: 5, autoCreateUsers: true },
      http: { basePath: '/auth/oauth', secureCookies: false, sameSitePolicy: 'lax' },
    })
  })

  it('is what is configured', async () => {
    const site = await start({
      upstreams: [instantUpstream(() => 'https://instant.example')],
      localSignIn: true,
      invitedOnly: true,
      sessionsPerUser: 2,
      lifetimes: { accessTokenSeconds: 60, refreshIdleSeconds: 600, sessionSeconds: 300 },
    })
    expect(await read(site, '/oauth/health', await signIn(site, 'owner'))).toEqual({
      providers: {
        available: ['instant', 'local'],
        trusted: ['instant'],
        redirectUri: 'https://mcp.example.com/callback/instant',
      },
      tokens: { accessTokenExpiry: 60, refreshTokenExpiry: 600, algorithm: 'ES256' },
      sessions: { timeout: 300, maxPerUser: 2, autoCreateUsers: false },
      http: { basePath: '/', secureCookies: true, sameSitePolicy: 'lax' },
    })
  })

  it('says nothing to others but that the server is well (RS-10)', async () => {
    const site = await start({ paths: { base: '/auth/oauth' } })
    const strangers = [undefined, await signIn(site, 'user'), { headers: { cookie: 'x=y' } }]
    for (const init of strangers) {
      expect(await read(site, '/auth/oauth/health', init)).toEqual({ status: 'ok' })
    }
  })
})

describe('the providers', () => {
  verifiesThat('S3', 'available, trusted and the redirect URI', async () => {
    const site = await start({ paths: { base: '/auth/oauth' }, upstreams: [github] })
    expect(await read(site, '/auth/oauth/providers')).toEqual({
      providers: {
        available: ['github'],
        trusted: ['github'],
        redirectUri: 'https://mcp.example.com/github/oauth/callback',
      },
    })
  })

  it('are none where people have passwords here', async () => {
    const site = await start({})
    expect(await read(site, '/oauth/providers')).toEqual({
      providers: { available: ['local'], trusted: [] },
    })
  })
})
