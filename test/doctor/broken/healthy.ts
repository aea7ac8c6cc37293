/**
 * A server that every client connects to: the MCP endpoint and the authorization server of one host, as small
 * as they can be. A broken server is this one with one answer changed.
 */

/** The host it takes itself for. */
export const origin = 'https://mcp.example.com'

/** Its MCP URL. */
export const mcpUrl = `${origin}/mcp`

/** A request as it arrived. */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** An answer. An object as body is sent as JSON. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Readonly<Record<string, unknown>>
}

/** Answers a request. */
export type Answerer = (asked: Asked) => Reply

const html = { 'content-type': 'text/html; charset=utf-8' }

/** A page with these words. */
export function page(words: string, status = 200): Reply {
  return { status, headers: html, body: `<!doctype html><title>${words}</title><h1>${words}</h1>` }
}

const anybody = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, Mcp-Session-Id',
}
const preflight = {
  ...anybody,
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, MCP-Protocol-Version',
}

/** Protected-resource metadata (RFC 9728). */
export const resourceMetadata = {
  resource: mcpUrl,
  authorization_servers: [origin],
  scopes_supported: ['mcp'],
}

/** Authorization-server metadata (RFC 8414). */
export const serverMetadata = {
  issuer: origin,
  authorization_endpoint: `${origin}/authorize`,
  token_endpoint: `${origin}/token`,
  registration_endpoint: `${origin}/register`,
  jwks_uri: `${origin}/jwks`,
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'client_secret_basic'],
  scopes_supported: ['mcp', 'offline_access'],
  client_id_metadata_document_supported: true,
  authorization_response_iss_parameter_supported: true,
}

const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one', alg: 'ES256' }

/** Makes a healthy server, with a memory of its own for registrations. */
export function createHealthy(): Answerer {
  const clients = new Set<string>()
  const routes: Record<string, Answerer> = {
    '/mcp': () => ({
      status: 401,
      headers: {
        ...anybody,
        'www-authenticate': `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="mcp"`,
      },
    }),
    '/.well-known/oauth-protected-resource/mcp': () => ({
      status: 200,
      headers: anybody,
      body: resourceMetadata,
    }),
    '/.well-known/oauth-authorization-server': () => ({
      status: 200,
      headers: anybody,
      body: serverMetadata,
    }),
    '/jwks': () => ({ status: 200, headers: anybody, body: { keys: [jwk] } }),
    '/register': ({ body }) => register(body, clients),
    '/authorize': ({ url }) => authorize(url, clients),
  }
  return (asked) => {
    const { method, url } = asked
    if (method === 'OPTIONS') return { status: 204, headers: preflight }
    if (method === 'DELETE' && url.pathname.startsWith('/register/')) return { status: 204 }
    return routes[url.pathname]?.(asked) ?? page('Not found', 404)
  }
}

function register(body: string, clients: Set<string>): Reply {
  const asked = JSON.parse(body) as Record<string, unknown>
  const id = `client-${clients.size + 1}`
  clients.add(id)
  const isPublic = asked['token_endpoint_auth_method'] === 'none'
  const secret = isPublic ? {} : { client_secret: 'a-secret', client_secret_expires_at: 0 }
  return {
    status: 201,
    headers: { ...anybody, 'cache-control': 'no-store' },
    body: {
      token_endpoint_auth_method: 'client_secret_basic',
      ...asked,
      client_id: id,
      client_id_issued_at: 1_800_000_000,
      ...secret,
      registration_client_uri: `${origin}/register/${id}`,
      registration_access_token: 'a-registration-token',
    },
  }
}

function authorize(url: URL, clients: ReadonlySet<string>): Reply {
  const id = url.searchParams.get('client_id') ?? ''
  const isKnown = clients.has(id) || id.startsWith('https://')
  return isKnown ? page('Sign in') : page('Unknown client', 400)
}
