/**
 * `better-auth` with its OAuth provider and JWT plugins, over SQLite in memory through its own adapter: its memory
 * adapter copies all tables for a transaction and looks through them for a row. ES256 by jose, the signing
 * key unencrypted and the resource cached, so that neither costs a look-up; limits, CSRF check and log off. It
 * gives a refresh token only for `offline_access`.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { loadPeer } from '../peers/load.ts'
import { listenOnLoopback } from './bare.ts'
import { renderPage } from './consent-page.ts'
import { lanes, type Started } from './protocol.ts'

/** The parts of the packages that are used. */
interface Auth {
  readonly options: object
  readonly api: {
    signUpEmail(call: object): Promise<{ readonly headers: Headers }>
    oauth2Consent(call: object): Promise<{ readonly url: string }>
  }
}
type Plugin = (options: object) => object
type NodeHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>

const paths = {
  authorize: '/api/auth/oauth2/authorize',
  token: '/api/auth/oauth2/token',
  register: '/api/auth/oauth2/register',
  metadata: '/.well-known/oauth-authorization-server/api/auth',
  jwks: '/api/auth/jwks',
}
const scopes = ['mcp', 'offline_access']

/** Starts it; `pageBytes` is how long its consent page is. */
export async function startBetterAuth(pageBytes: number): Promise<Started> {
  let handle: RequestListener | undefined
  const started = await listenOnLoopback((incoming, outgoing) => handle?.(incoming, outgoing))
  const auth = await createAuth(started.origin)
  const { toNodeHandler } = await loadPeer<{ toNodeHandler(auth: Auth): NodeHandler }>(
    'better-auth/node',
  )
  const serve = toNodeHandler(auth)
  handle = (incoming, outgoing) => {
    const isPage = incoming.url?.startsWith('/consent') ?? false
    const answering = isPage
      ? answerPage(auth, incoming, outgoing, pageBytes)
      : serve(incoming, outgoing)
    answering.catch((error: unknown) => outgoing.writeHead(500).end(String(error)))
  }
  return { ...started, paths, scope: scopes.join(' '), sessions: await signUp(auth) }
}

async function createAuth(origin: string): Promise<Auth> {
  const { betterAuth } = await loadPeer<{ betterAuth(options: object): Auth }>('better-auth')
  const { jwt } = await loadPeer<{ jwt: Plugin }>('better-auth/plugins')
  const { oauthProvider } = await loadPeer<{ oauthProvider: Plugin }>('@better-auth/oauth-provider')
  const { getMigrations } = await loadPeer<{
    getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>
  }>('better-auth/db/migration')
  const resource = `${origin}/mcp`
  const keys = { keyPairConfig: { alg: 'ES256' }, disablePrivateKeyEncryption: true }
  const options = {
    baseURL: origin,
    secret: randomBytes(32).toString('base64url'),
    database: new DatabaseSync(':memory:'),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
    advanced: { disableCSRFCheck: true },
    plugins: [
      jwt({ jwks: keys, disableSettingJwtHeader: true }),
      oauthProvider({
        loginPage: '/consent/no-session',
        consentPage: '/consent',
        scopes,
        resources: [resource],
        cachedResources: new Set([resource]),
        enforcePerClientResources: false,
        allowDynamicClientRegistration: true,
        allowUnauthenticatedClientRegistration: true,
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
      }),
    ],
  }
  await (await getMigrations(options)).runMigrations()
  return betterAuth(options)
}

/** One person for each lane. */
async function signUp({ api }: Auth): Promise<string[]> {
  const cookies: string[] = []
  for (let n = 0; n < lanes; n += 1) {
    const body = {
      name: `Person ${n}`,
      email: `person-${n}@client.example`,
      password: 'x'.repeat(12),
    }
    const { headers } = await api.signUpEmail({ body, returnHeaders: true })
    cookies.push(
      headers
        .getSetCookie()
        .find((line) => /session_token=/.test(line))
        ?.split(';')[0] ?? '',
    )
  }
  return cookies
}

/** The consent page: shown for the signed query it was sent with, allowed by posting to it. */
async function answerPage(
  { api }: Auth,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  pageBytes: number,
): Promise<void> {
  const url = incoming.url ?? ''
  if (incoming.method === 'GET') {
    outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    outgoing.end(renderPage(url.replaceAll('&', '&amp;'), {}, pageBytes))
    return
  }
  incoming.resume()
  const headers = new Headers({ cookie: incoming.headers.cookie ?? '' })
  const body = { accept: true, oauth_query: url.slice(url.indexOf('?') + 1) }
  const request = new Request(`http://${incoming.headers.host}/api/auth/oauth2/consent`, {
    headers,
  })
  const { url: location } = await api.oauth2Consent({
    body,
    headers,
    request,
    asResponse: false,
  })
  outgoing.writeHead(303, { location }).end()
}
