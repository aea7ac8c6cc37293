/** Where providers send the browser back to: `/callback/<id>`, or the path that is registered there (S8). */
import { afterEach, describe, expect, it } from 'vitest'
import type { Upstream } from '../../src/identity/upstream.ts'
import { resolveEndpointPaths } from '../../src/oauth/endpoint-paths.ts'
import { listOwnPaths } from '../../src/operate/config/provider-conflicts.ts'
import { createRoutes } from '../../src/routes.ts'
import { type Site, startSite } from '../helpers/site.ts'

const issuer = 'https://mcp.example.com'
const sites: Site[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) await site.close()
})

async function start(...upstreams: Upstream[]): Promise<Site> {
  const site = await startSite({ upstreams })
  sites.push(site)
  return site
}

/** A provider that knows everybody and has noted what it was told. */
function provider(id: string, callbackPath?: string) {
  const seen: string[] = []
  const upstream: Upstream = {
    id,
    label: id,
    ...(callbackPath !== undefined && { callbackPath }),
    start: async ({ redirectUri, state }) => {
      seen.push(redirectUri)
      return new URL(`https://${id}.example/?state=${state}`)
    },
    finish: async (callback, { redirectUri }) => {
      seen.push(callback.href.split('?')[0] ?? '', redirectUri)
      return { subject: '1', login: `ada at ${id}` }
    },
  }
  return { upstream, seen }
}

describe('the callback of a provider', () => {
  it.each(['/github/oauth/callback', '/oauth2/callback', '/callback', '/callback/of/ours'])(
    'can be at %s (S8)',
    async (path) => {
      const { upstream, seen } = provider('github', path)
      const site = await start(upstream)
      const browser = site.browser()
      const away = await site.walk(browser, 'client')
      const query = `?state=${away.url.searchParams.get('state')}&code=any`
      expect((await browser.open(`${issuer}/callback/github${query}`)).status).toBe(404)
      const confirm = await browser.open(issuer + path + query)
      expect(confirm.text).toContain('ada at github')
      expect(seen).toEqual([issuer + path, issuer + path, issuer + path])
    },
  )

  it('takes no answer that belongs to another provider, wherever it arrives (UP-03)', async () => {
    const github = provider('github', '/oauth2/callback')
    const okta = provider('okta')
    const site = await start(github.upstream, okta.upstream)
    const browser = site.browser()
    const chooser = await site.walk(browser, 'sign-in')
    const away = await browser.press(chooser, 'upstream', 'github')
    const query = `?state=${away.url.searchParams.get('state')}&code=any`
    const mixed = await browser.open(`${issuer}/callback/okta${query}`)
    expect(mixed.status).toBe(400)
    expect(okta.seen).toEqual([])
    expect((await browser.open(`${issuer}/oauth2/callback${query}`)).text).toContain(
      'ada at github',
    )
  })

  it('answers at nothing but its own path', async () => {
    const site = await start(provider('github', '/oauth2/callback').upstream)
    for (const path of ['/callback/github', '/callback/other', '/oauth2', '/oauth2/callback/']) {
      expect((await site.browser().open(issuer + path)).status, path).toBe(404)
    }
    const post = await site.send('/oauth2/callback', { method: 'POST' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('a callback that cannot be', () => {
  it.each([
    ['the path of an endpoint', '/token'],
    ['the path of a page', '/'],
    ['the MCP server', '/mcp'],
    ['well-known documents', '/.well-known/x'],
    ['the configuration of clients', '/register/x'],
    ['a path that is none', 'callback'],
    ['a path with a parameter', '/callback/:id'],
    ['a path upwards', '/a/../token'],
  ])('is refused at the start: %s', async (_, path) => {
    await expect(startSite({ upstreams: [provider('github', path).upstream] })).rejects.toThrow(
      `Upstream github: callbackPath ${JSON.stringify(path)} must be a path of its own`,
    )
  })

  it('is refused at the start: that of another provider', async () => {
    const upstreams = [provider('github', '/callback/okta').upstream, provider('okta').upstream]
    await expect(startSite({ upstreams })).rejects.toThrow(
      'Upstream okta: callbackPath "/callback/okta" must be a path of its own',
    )
  })

  it('is known to the configuration as well, every path of the surface', () => {
    const backends = [{ id: 'mcp', name: 'mcp', path: '/mcp', resource: '', headers: {} } as const]
    const routes = createRoutes({
      oauthEnabled: true,
      paths: resolveEndpointPaths(),
      backends: backends.map((backend) => ({ ...backend, identity: 'none' as const })),
      registration: { mode: 'dynamic' },
    })
    const fixed = routes
      .map(({ path }) => path)
      .filter((path) => !/^\/(?:mcp|\.well-known|register)\/|:/.test(path))
    expect([...new Set(fixed)].sort()).toEqual([...listOwnPaths(resolveEndpointPaths())].sort())
  })
})
