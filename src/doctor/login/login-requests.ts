/** The requests of a login, as a careful client writes them. */
import { createMcpRequest, type McpMessage } from '../mcp-messages.ts'
import type { SentRequest } from '../observation.ts'
import type { LoginPlan } from './login-visit.ts'

/** A client that has its id. */
export interface IdentifiedClient {
  readonly id: string
  readonly secret?: string | undefined
  /** How it authenticates (RFC 7591 §2). */
  readonly method: string
  readonly redirectUri: string
  /** Where its registration can be removed, and the token for it (RFC 7592). */
  readonly management?: { readonly uri: string; readonly token: string } | undefined
}

/** `POST /register` (RFC 7591 §3.1). */
export function createRegistration(
  { client, authenticationMethods }: LoginPlan,
  endpoint: string,
  redirectUri: string,
): SentRequest {
  const known = authenticationMethods.length === 0 || authenticationMethods.includes('none')
  const method = known ? 'none' : (authenticationMethods[0] ?? 'none')
  const body = {
    token_endpoint_auth_method: method,
    ...client.registration,
    redirect_uris: [redirectUri],
  }
  return {
    method: 'POST',
    url: endpoint,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  }
}

/** `DELETE` of the registration (RFC 7592 §2.3). */
export function createRemoval({ uri, token }: { uri: string; token: string }): SentRequest {
  return { method: 'DELETE', url: uri, headers: { authorization: `Bearer ${token}` } }
}

/** The address that the browser opens. */
export function createAuthorizationUrl(
  { client, endpoints, scope, resource }: LoginPlan,
  { id, redirectUri }: IdentifiedClient,
  secrets: { readonly state: string; readonly challenge: string },
): string {
  const url = new URL(endpoints.authorization)
  const parameters = {
    response_type: 'code',
    client_id: id,
    redirect_uri: redirectUri,
    state: secrets.state,
    code_challenge: secrets.challenge,
    code_challenge_method: 'S256',
    scope,
    resource: client.sendsResource ? resource : undefined,
  }
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}

/** A request of the token or the revocation endpoint, with the client's own authentication. */
export function createTokenRequest(
  url: string,
  client: IdentifiedClient,
  parameters: Readonly<Record<string, string | undefined>>,
): SentRequest {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  const form = new URLSearchParams(Object.fromEntries(given) as Record<string, string>)
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  if (client.method === 'client_secret_basic' && client.secret !== undefined) {
    const authorization = `Basic ${toBasic(client.id, client.secret)}`
    return { method: 'POST', url, headers: { ...headers, authorization }, body: form.toString() }
  }
  form.set('client_id', client.id)
  if (client.secret !== undefined && client.method !== 'none')
    form.set('client_secret', client.secret)
  return { method: 'POST', url, headers, body: form.toString() }
}

/** Id and secret as `Basic` carries them: each form-encoded, then base64 (RFC 6749 §2.3.1). */
export function toBasic(id: string, secret: string): string {
  return Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')
}

/** One JSON-RPC message to the MCP endpoint, with the token. */
export function createMessageRequest(
  { url }: LoginPlan,
  token: string,
  message: McpMessage,
): SentRequest {
  const request = createMcpRequest(url, message)
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } }
}
