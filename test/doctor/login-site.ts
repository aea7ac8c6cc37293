/** A small MCP server with an authorization server of its own, in which a test breaks one thing. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'

/** What a server does otherwise than it should. */
export interface Faults {
  /** Changes the token answer, of codes and of refreshes. */
  readonly tokenAnswer?: (answer: Record<string, unknown>, grantType: string) => unknown
  /** The body of the token answer as it goes out, and its type. */
  readonly tokenBody?: { readonly text: string; readonly type: string }
  readonly cacheControl?: string
  readonly tokenStatus?: number
  readonly dropsState?: boolean
  /** The `iss` of the callback; `null` leaves it out. Default: the issuer. */
  readonly iss?: string | null
  readonly callbackError?: string
  /** The callback has neither a code nor an error. */
  readonly dropsCode?: boolean
  /** Registers nobody. */
  readonly registrationStatus?: number
  /** What every request with a good token is answered. */
  readonly mcpStatus?: number
  /** Refuses every access token, or those of refreshes. */
  readonly refuses?: 'all' | 'refreshed'
  /** Claims in which its tokens, which are JWTs then, differ from what is right. */
  readonly claims?: Record<string, unknown>
  /** What becomes of a refresh token that is used for the second time. Default: the same answer again. */
  readonly onReuse?: 'refuse' | 'end' | 'new'
  /** Takes no refresh token, not even a new one. */
  readonly refusesRefresh?: boolean
  /** Refreshes bring no new token, and the old one dies or lives on. */
  readonly successor?: 'none, old one dies' | 'none, old one lives'
  readonly hasRevocation?: boolean
  readonly revokesNothing?: boolean
  readonly revocationStatus?: number
  /** Revokes the refresh token, and lets the access token live on. */
  readonly revokesRefreshAlone?: boolean
  readonly hasManagement?: boolean
  /** Knows 2026-07-28 alone. */
  readonly isModern?: boolean
  readonly toolsError?: boolean
  /** Opens a session with every first request. */
  readonly hasSessions?: boolean
  /** Members of the protected-resource metadata that differ. */
  readonly resourceMetadata?: Record<string, unknown>
  /** Further members of the registration answer. */
  readonly registered?: Record<string, unknown>
}

/** The server, and what became of it. */
export interface LoginSite {
  readonly issuer: string
  readonly url: string
  /** `METHOD path` of every request, in order. */
  readonly requests: string[]
  readonly clients: Set<string>
  close(): Promise<void>
}

/** Starts one. */
export async function startLoginSite(faults: Faults = {}): Promise<LoginSite> {
  const requests: string[] = []
  const state = createState(faults)
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', state.issuer)
    requests.push(`${incoming.method} ${url.pathname}`)
    void readAll(incoming).then((body) => answer({ state, incoming, outgoing, url, body }))
  })
  state.issuer = await listenOnLoopback(server)
  return {
    issuer: state.issuer,
    url: `${state.issuer}/mcp`,
    requests,
    clients: state.clients,
    close: () => closeNow(server),
  }
}

function createState(faults: Faults) {
  return {
    faults,
    issuer: 'http://127.0.0.1',
    clients: new Set<string>(),
    /** Refresh token → what its use was answered, while it may be used. */
    refresh: new Map<string, Record<string, unknown> | undefined>(),
    access: new Map<string, string>(),
    isOver: false,
    count: 0,
  }
}

type State = ReturnType<typeof createState>
interface Call {
  readonly state: State
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly url: URL
  readonly body: string
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of incoming) text += String(chunk)
  return text
}

function answer(call: Call): void {
  const { url, state, outgoing } = call
  const routes: Record<string, (call: Call) => void> = {
    '/.well-known/oauth-protected-resource/mcp': () =>
      sendJson(outgoing, 200, {
        resource: `${state.issuer}/mcp`,
        authorization_servers: [state.issuer],
        scopes_supported: ['notes'],
        ...state.faults.resourceMetadata,
      }),
    '/.well-known/oauth-authorization-server': () => sendJson(outgoing, 200, toMetadata(state)),
    '/register': register,
    '/authorize': authorize,
    '/token': redeem,
    '/revoke': revoke,
    '/mcp': speak,
  }
  const [, id] = /^\/register\/(\w+)$/.exec(url.pathname) ?? []
  if (id !== undefined) {
    state.clients.delete(id)
    return void outgoing.writeHead(204).end()
  }
  const route = routes[url.pathname]
  if (route) return route(call)
  sendJson(outgoing, 404, {})
}

function toMetadata({ issuer, faults }: State) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    ...(faults.hasRevocation !== false && { revocation_endpoint: `${issuer}/revoke` }),
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
  }
}

function sendJson(outgoing: ServerResponse, status: number, body: unknown): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function register({ state, outgoing, body }: Call): void {
  const { registrationStatus } = state.faults
  if (registrationStatus !== undefined)
    return sendJson(outgoing, registrationStatus, { error: 'invalid_client_metadata' })
  const id = `client${state.clients.size + 1}`
  state.clients.add(id)
  const manage = {
    registration_client_uri: `${state.issuer}/register/${id}`,
    registration_access_token: 'registration-token-of-a-client',
  }
  sendJson(outgoing, 201, {
    ...(JSON.parse(body) as object),
    client_id: id,
    ...(state.faults.hasManagement !== false && manage),
    ...state.faults.registered,
  })
}

/** Everybody is signed in and allows everything. */
function authorize({ state, outgoing, url }: Call): void {
  const { faults, issuer } = state
  const to = new URL(url.searchParams.get('redirect_uri') ?? '')
  if (faults.callbackError !== undefined) to.searchParams.set('error', faults.callbackError)
  else if (faults.dropsCode !== true) to.searchParams.set('code', 'a-code-for-one-use-only')
  if (faults.dropsState !== true) to.searchParams.set('state', url.searchParams.get('state') ?? '')
  if (faults.iss !== null) to.searchParams.set('iss', faults.iss ?? issuer)
  outgoing.writeHead(302, { location: to.href }).end()
}

function redeem({ state, outgoing, body }: Call): void {
  const { faults } = state
  const form = new URLSearchParams(body)
  const grantType = form.get('grant_type') ?? ''
  if (faults.tokenStatus !== undefined)
    return sendJson(outgoing, faults.tokenStatus, { error: 'invalid_client' })
  const token = form.get('refresh_token')
  const tokens = token === null ? mint(state, grantType) : refresh(state, token)
  if (tokens === undefined) return sendJson(outgoing, 400, { error: 'invalid_grant' })
  const { text, type } = faults.tokenBody ?? {
    text: JSON.stringify(faults.tokenAnswer?.(tokens, grantType) ?? tokens),
    type: 'application/json',
  }
  const caching = faults.cacheControl ?? 'no-store'
  outgoing.writeHead(200, { 'content-type': type, 'cache-control': caching }).end(text)
}

function mint(state: State, grantType: string): Record<string, unknown> {
  state.count += 1
  const claims = {
    iss: state.issuer,
    aud: `${state.issuer}/mcp`,
    exp: 4_000_000_000,
    n: state.count,
    ...state.faults.claims,
  }
  const access = ['{"alg":"none"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
  const refreshToken = `refresh-token-number-${state.count}`
  state.access.set(access, grantType)
  state.refresh.set(refreshToken, undefined)
  return {
    access_token: access,
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: refreshToken,
  }
}

function refresh(state: State, token: string): Record<string, unknown> | undefined {
  const { faults } = state
  if (state.isOver || faults.refusesRefresh === true || !state.refresh.has(token)) return undefined
  const before = state.refresh.get(token)
  if (before !== undefined && faults.onReuse !== 'new') {
    if (faults.onReuse === 'end') state.isOver = true
    return faults.onReuse === undefined ? before : undefined
  }
  const { refresh_token: successor, ...rest } = mint(state, 'refresh_token')
  if (faults.successor === undefined) {
    state.refresh.set(token, { ...rest, refresh_token: successor })
    return { ...rest, refresh_token: successor }
  }
  if (faults.successor === 'none, old one dies') state.refresh.delete(token)
  return rest
}

function revoke({ state, outgoing }: Call): void {
  const { revocationStatus, revokesNothing } = state.faults
  if (revocationStatus !== undefined)
    return sendJson(outgoing, revocationStatus, { error: 'unsupported_token_type' })
  if (revokesNothing !== true) state.isOver = true
  outgoing.writeHead(200).end()
}

function speak({ state, incoming, outgoing, body }: Call): void {
  const { faults } = state
  const grantType = state.access.get(incoming.headers.authorization?.slice('Bearer '.length) ?? '')
  const isRefused =
    (state.isOver && faults.revokesRefreshAlone !== true) ||
    faults.refuses === 'all' ||
    (faults.refuses === 'refreshed' && grantType === 'refresh_token')
  if (grantType === undefined || isRefused) {
    outgoing.setHeader('www-authenticate', 'Bearer error="invalid_token"')
    return sendJson(outgoing, 401, {})
  }
  if (faults.mcpStatus !== undefined) return sendJson(outgoing, faults.mcpStatus, {})
  if (faults.hasSessions === true) outgoing.setHeader('mcp-session-id', 'a-session-of-somebody')
  const { id, method } = (body === '' ? {} : JSON.parse(body)) as { id?: number; method?: string }
  if (id === undefined) return void outgoing.writeHead(202).end()
  const unknown = { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }
  if (faults.isModern === true && method === 'initialize') return sendJson(outgoing, 404, unknown)
  if (faults.toolsError === true && method === 'tools/list') return sendJson(outgoing, 200, unknown)
  const result = method === 'tools/list' ? { tools: [{ name: 'one' }, { name: 'two' }] } : {}
  sendJson(outgoing, 200, { jsonrpc: '2.0', id, result })
}
