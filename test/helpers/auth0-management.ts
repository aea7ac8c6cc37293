/**
 * Auth0's Management API on loopback, as far as clients go: `POST /oauth/token` (client credentials) and
 * `/api/v2/clients`, with the request rules, response shapes and errors that Auth0 publishes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { closeNow, listenOnLoopback } from './loopback.ts'

/** A client as Auth0 keeps it. */
export interface Auth0Client {
  client_id: string
  name: string
  callbacks: string[]
  token_endpoint_auth_method: string
  client_metadata: Record<string, string>
  [member: string]: unknown
}

/** What happens to a request: an answer of its own, `reset` the connection, or `lose` only the answer. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'reset'
  | 'lose'

/** A tenant under test. */
export interface Auth0Tenant {
  readonly url: string
  /** What arrived, as `METHOD path`. */
  readonly requests: string[]
  readonly clients: Map<string, Auth0Client>
  /** Decides about each request; undefined: it is served. */
  fault: (line: string) => Fault | undefined
  /** Permissions of the next token. */
  scope: string
  /** Makes every token that was given out invalid. */
  expireTokens(): void
  close(): Promise<void>
}

/** The machine-to-machine application that may use the API. */
export const auth0Credentials = { clientId: 'm2m-client', clientSecret: 'm2m-secret' }

const allScopes = 'create:clients read:clients update:clients delete:clients'

/** Members of `POST /api/v2/clients` that we know of; Auth0 refuses others. */
const knownMembers = new Set([
  'name',
  'description',
  'logo_uri',
  'app_type',
  'callbacks',
  'grant_types',
  'token_endpoint_auth_method',
  'oidc_conformant',
  'is_first_party',
  'client_metadata',
])

interface Reply {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

/** Starts a tenant without clients of its own but for the global one that every tenant has. */
export async function startAuth0(): Promise<Auth0Tenant> {
  const clients = new Map<string, Auth0Client>()
  const tokens = new Map<string, string>()
  let made = 0
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      const line = `${request.method} ${request.url}`
      tenant.requests.push(line)
      const fault = tenant.fault(line)
      if (fault === 'reset') return response.destroy()
      if (fault !== undefined && fault !== 'lose') return sendFault(response, fault)
      const reply = serve(request, text)
      return fault === 'lose' ? response.destroy() : send(response, reply)
    })
  })
  const url = await listenOnLoopback(server)
  const tenant: Auth0Tenant = {
    url,
    requests: [],
    clients,
    fault: () => undefined,
    scope: allScopes,
    expireTokens: () => tokens.clear(),
    close: () => closeNow(server),
  }

  function serve(request: IncomingMessage, text: string): Reply {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    if (pathname === '/oauth/token') return giveToken(parse(text))
    const scopes = tokens.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
    if (scopes === undefined) return refuse(401, 'Unauthorized', 'Invalid token', 'invalid_token')
    const id = /^\/api\/v2\/clients\/([^/]+)$/.exec(pathname)?.[1]
    const verb = { POST: 'create', GET: 'read', DELETE: 'delete' }[request.method ?? '']
    if (!scopes.split(' ').includes(`${verb}:clients`)) {
      const message = `Insufficient scope, expected any of: ${verb}:clients`
      return refuse(403, 'Forbidden', message, 'insufficient_scope')
    }
    if (request.method === 'POST') return create(parse(text))
    if (request.method === 'DELETE') {
      clients.delete(id ?? '')
      return { status: 204 }
    }
    return id === undefined ? list(searchParams) : get(id)
  }

  function giveToken(body: Record<string, unknown>): Reply {
    const isKnown =
      body.client_id === auth0Credentials.clientId &&
      body.client_secret === auth0Credentials.clientSecret
    if (!isKnown || body.grant_type !== 'client_credentials') {
      return { status: 401, body: { error: 'access_denied', error_description: 'Unauthorized' } }
    }
    if (body.audience !== `${url}/api/v2/`) {
      return {
        status: 403,
        body: { error: 'access_denied', error_description: 'No such audience' },
      }
    }
    const token = `token-${tokens.size}-${(made += 1)}`
    tokens.set(token, tenant.scope)
    const answer = { access_token: token, scope: tenant.scope, expires_in: 86_400 }
    return { status: 200, body: { ...answer, token_type: 'Bearer' } }
  }

  function create(body: Record<string, unknown>): Reply {
    const problem = findProblem(body)
    if (problem !== undefined) {
      return refuse(400, 'Bad Request', `Payload validation error: '${problem}'.`, 'invalid_body')
    }
    made += 1
    const client = {
      tenant: 'example',
      global: false,
      is_first_party: true,
      oidc_conformant: false,
      client_id: `auth0app${String(made).padStart(24, '0')}`,
      client_secret: 'generated-by-auth0',
      signing_keys: [{ cert: '-----BEGIN CERTIFICATE-----' }],
      ...body,
    } as unknown as Auth0Client
    clients.set(client.client_id, client)
    return { status: 201, body: client }
  }

  function list(query: URLSearchParams): Reply {
    const size = Number(query.get('per_page') ?? 50)
    const page = Number(query.get('page') ?? 0)
    if (size > 100) return refuse(400, 'Bad Request', 'per_page is at most 100', 'invalid_query')
    const fields = query.get('fields')?.split(',')
    const found = [...clients.values()].slice(page * size, (page + 1) * size)
    const pick = (client: Auth0Client) =>
      Object.fromEntries(Object.entries(client).filter(([name]) => fields?.includes(name) ?? true))
    return { status: 200, body: found.map(pick) }
  }

  function get(id: string): Reply {
    const client = clients.get(id)
    if (client) return { status: 200, body: client }
    return refuse(404, 'Not Found', 'The client does not exist', 'inexistent_client')
  }

  return tenant
}

function findProblem(body: Record<string, unknown>): string | undefined {
  const unknown = Object.keys(body).find((name) => !knownMembers.has(name))
  if (unknown !== undefined) return `Additional properties not allowed: ${unknown}`
  if (typeof body.name !== 'string' || body.name === '') return 'Missing required property: name'
  if (/[<>]/.test(body.name)) return `String does not match pattern ^[^<>]+$: ${body.name}`
  const metadata = Object.values(body.client_metadata ?? {})
  if (metadata.length > 10) return 'Too many properties defined (max 10)'
  const isText = (value: unknown) => typeof value === 'string' && value.length <= 255
  return metadata.every(isText) ? undefined : 'Metadata must be texts of at most 255 characters'
}

function refuse(statusCode: number, error: string, message: string, errorCode: string): Reply {
  return { status: statusCode, body: { statusCode, error, message, errorCode } }
}

function sendFault(response: ServerResponse, fault: Exclude<Fault, string>): void {
  response.writeHead(fault.status, fault.headers).end(fault.body)
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  const type = { 'content-type': 'application/json; charset=utf-8', ...headers }
  response.writeHead(status, type).end(body === undefined ? undefined : JSON.stringify(body))
}

function parse(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
