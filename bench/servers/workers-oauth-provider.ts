/**
 * `@cloudflare/workers-oauth-provider` in Node: its fetch handler on `@hono/node-server`, over a stand-in for
 * Workers KV that keeps texts in a map. Access tokens are opaque, since it has no others; each refresh gives
 * a new refresh token and keeps the one before valid. Every grant holds props, encrypted under a key that is
 * wrapped for each token, as it does for everybody. It writes no log.
 */
import { registerHooks } from 'node:module'
import { getRequestListener } from '@hono/node-server'
import { loadPeer } from '../peers/load.ts'
import { listenOnLoopback } from './bare.ts'
import { createSessions, renderPage, type Sessions } from './consent-page.ts'
import { type Started, usualPaths } from './protocol.ts'

/** The part of the package that is used. */
interface Package {
  readonly OAuthProvider: new (options: object) => Handler
}
interface Handler {
  fetch(request: Request, env: object, context: object): Promise<Response>
}
/** What it puts into `env` for the pages of whoever embeds it. */
interface Helpers {
  parseAuthRequest(request: Request): Promise<{ readonly scope: string[] }>
  completeAuthorization(options: object): Promise<{ readonly redirectTo: string }>
}

/** Starts it; `pageBytes` is how long its consent page is. */
export async function startWorkersOauthProvider(pageBytes: number): Promise<Started> {
  provideWorkerdModule()
  const { OAuthProvider } = await loadPeer<Package>('@cloudflare/workers-oauth-provider')
  const sessions = createSessions()
  let provider: Handler | undefined
  const env = { OAUTH_KV: createKv() }
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
  const listener = getRequestListener(
    (request) => provider?.fetch(request, env, context) ?? new Response(null, { status: 503 }),
  )
  const started = await listenOnLoopback((incoming, outgoing) => void listener(incoming, outgoing))
  provider = new OAuthProvider({
    apiRoute: '/mcp',
    apiHandler: { fetch: () => new Response() },
    defaultHandler: createPages(sessions, pageBytes),
    authorizeEndpoint: usualPaths.authorize,
    tokenEndpoint: usualPaths.token,
    clientRegistrationEndpoint: usualPaths.register,
    scopesSupported: ['mcp'],
    resourceMetadata: {
      resource: `${started.origin}/mcp`,
      authorization_servers: [started.origin],
    },
  })
  return { ...started, sessions: sessions.cookies }
}

/** Its only import is a base class of the Workers runtime. */
function provideWorkerdModule(): void {
  const url = 'data:text/javascript,export class WorkerEntrypoint {}'
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'cloudflare:workers'
        ? { url, format: 'module', shortCircuit: true }
        : next(specifier, context),
  })
}

/** The pages: consent is shown for the query, and the same query is allowed by posting to it. */
function createPages(sessions: Sessions, pageBytes: number) {
  return {
    async fetch(request: Request, { OAUTH_PROVIDER }: { OAUTH_PROVIDER: Helpers }) {
      const url = new URL(request.url)
      if (url.pathname !== usualPaths.authorize) return new Response(null, { status: 404 })
      const wanted = await OAUTH_PROVIDER.parseAuthRequest(new Request(url))
      if (request.method === 'GET') {
        const action = `${url.pathname}${url.search}`.replaceAll('&', '&amp;')
        const page = renderPage(action, {}, pageBytes)
        return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } })
      }
      const userId = sessions.find(request.headers.get('cookie'))
      if (userId === undefined) return new Response(null, { status: 403 })
      await request.text()
      const { redirectTo } = await OAUTH_PROVIDER.completeAuthorization({
        request: wanted,
        userId,
        metadata: {},
        scope: wanted.scope,
        props: { userId },
        // Ours keeps them too, and the stand-in has no index to find them by.
        revokeExistingGrants: false,
      })
      return new Response(null, { status: 303, headers: { location: redirectTo } })
    },
  }
}

/** Workers KV as far as it is used: texts in a map, listings by prefix, expiry left out. */
function createKv() {
  const values = new Map<string, string>()
  return {
    async get(key: string, options?: { type?: string } | string): Promise<unknown> {
      const text = values.get(key)
      const type = typeof options === 'string' ? options : options?.type
      if (text === undefined) return null
      return type === 'json' ? (JSON.parse(text) as unknown) : text
    },
    async put(key: string, value: string): Promise<void> {
      values.set(key, value)
    },
    async delete(key: string): Promise<void> {
      values.delete(key)
    },
    async list({ prefix = '', limit = 1000 }: { prefix?: string; limit?: number }) {
      const keys: { name: string }[] = []
      for (const name of values.keys()) {
        if (keys.length === limit) break
        if (name.startsWith(prefix)) keys.push({ name })
      }
      return { keys, list_complete: true }
    },
  }
}
