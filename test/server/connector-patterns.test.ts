/**
 * The four walls of the remote connector between ChatGPT and Auth0: each is gone, or says what it is and what
 * to change.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { auth0Management } from '../../src/identity/auth0-management.ts'
import { oidc } from '../../src/identity/oidc.ts'
import { github } from '../../src/identity/presets/github.ts'
import type { RegistrationOptions } from '../../src/options.ts'
import { startTestGatehouse } from '../helpers/gatehouse.ts'
import { type Site, startSite } from '../helpers/site.ts'

const sites: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close()
})

async function start(options: Parameters<typeof startSite>[0]): Promise<Site> {
  const site = await startSite(options)
  sites.push(site)
  return site
}

const base = { paths: { base: '/oauth2' } }
const credentials = { clientId: 'static-client-at-upstream', clientSecret: 'emulated-secret' }

/** GitHub whose page is never reached: what it says is said for it. */
const upstream = github({ ...credentials, callbackPath: '/oauth2/callback' })

/** Leaves for GitHub and comes back with what it says. */
async function comeBack(site: Site, query: string) {
  const browser = site.browser()
  const away = await site.walk(browser, 'client')
  const state = away.url.searchParams.get('state')
  return {
    away: away.url,
    page: await browser.open(`${site.issuer}/oauth2/callback?state=${state}&${query}`),
  }
}

/** What the owner reads in the log. */
function readFailure({ log }: Site): string {
  const line = log.lines.find(({ message }) => message === 'Request failed')
  const { error } = (line?.fields ?? {}) as { error?: Error }
  return error?.message ?? ''
}

describe('"Failed to resolve OAuth client": no registration endpoint in the metadata', () => {
  const applications = auth0Management({ domain: 'example.auth0.com', ...credentials })
  it.each<[string, RegistrationOptions]>([
    ['dynamic', { mode: 'dynamic' }],
    ['static', { mode: 'static', clientId: 'connector' }],
    ['management', { mode: 'management', applications: { ...applications, upstreamId: 'github' } }],
  ])('it is there in %s mode (R2)', async (_, registration) => {
    const site = await startTestGatehouse({
      ...base,
      registration,
      upstreams: [github(credentials)],
    })
    sites.push(site)
    const answer = await site.send('/.well-known/oauth-authorization-server')
    const metadata = (await answer.json()) as Record<string, unknown>
    expect(metadata.registration_endpoint).toBe(`${site.issuer}/oauth2/register`)
    const asked = await site.send('/oauth2/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(asked.status).not.toBe(404)
  })
})

describe('"Something went wrong": the upstream does not know our callback', () => {
  it('the owner reads which address to register, the person that it is not their fault (R3)', async () => {
    const site = await start({ upstreams: [upstream] })
    const { page } = await comeBack(site, 'error=redirect_uri_mismatch&error_description=x')
    expect(page.status).toBe(502)
    expect(page.text).toContain('Only the owner of this server can mend this')
    expect(readFailure(site)).toBe(
      `GitHub does not let this server begin a sign-in (unauthorized_client): register exactly ${site.issuer}/oauth2/callback there, and allow the authorization code flow`,
    )
  })
})

describe('"Unknown client: mcp_…": the upstream hears of a client of ours', () => {
  it('it only ever sees its own (R2, R3)', async () => {
    const site = await start({ upstreams: [upstream] })
    const { away } = await comeBack(site, 'error=access_denied')
    expect(site.client.client_id).toMatch(/^mcp_/)
    expect(away.searchParams.get('client_id')).toBe('static-client-at-upstream')
    expect(away.href).not.toContain(site.client.client_id)
  })

  it('and if it does not know that one, the owner reads what to compare (R3)', async () => {
    const site = await start({ upstreams: [upstream] })
    await comeBack(site, 'error=invalid_client')
    expect(readFailure(site)).toMatch(
      /^GitHub does not know our client id, or refuses its secret \(invalid_client\): compare both/,
    )
  })
})

describe('an empty client_id in the registration answer', () => {
  const issuer = 'https://auth.example'
  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'the client of static mode',
      () => start({ registration: { mode: 'static', clientId: '' } }),
      /registration\.clientId must be the id of a client that you registered/,
    ],
    [
      'our client at GitHub',
      async () => start({ upstreams: [github({ clientId: '', clientSecret: 'x' })] }),
      /clientId/,
    ],
    [
      'our client at an OpenID provider',
      async () => start({ upstreams: [oidc({ id: 'a', label: 'A', issuer, clientId: '' })] }),
      /clientId/,
    ],
  ])('stops the start: %s (R2)', async (_, begin, message) => {
    await expect(begin()).rejects.toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) }),
    )
  })
})
