/** A client written by hand, so that tests can send exactly what a real one sends, or what none should. */
import { createHash } from 'node:crypto'

/** RFC 7636 appendix B. */
export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const challenge = createHash('sha256').update(verifier).digest('base64url')

/** How a client talks to the server under test. */
export type SendPath = (path: string, init?: RequestInit) => Promise<Response>

/** The registration answer. */
export interface Registered {
  client_id: string
  client_secret?: string
  redirect_uris: string[]
  [member: string]: unknown
}

export async function registerClient(
  send: SendPath,
  metadata: Record<string, unknown> = {},
): Promise<Registered> {
  const response = await send('/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test client',
      redirect_uris: ['https://client.example/callback'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  })
  if (response.status !== 201)
    throw new Error(`Registration: ${response.status} ${await response.text()}`)
  return (await response.json()) as Registered
}

/** The path of an authorization request. */
export function authorizePath(
  client: Registered,
  extra: Record<string, string | undefined> = {},
): string {
  const params = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: client.redirect_uris[0],
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'state-123',
    ...extra,
  }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    if (value !== undefined) query.set(name, value)
  return `/authorize?${query}`
}

/** A token response, or an error. */
export interface TokenAnswer {
  status: number
  headers: Headers
  body: {
    access_token?: string
    refresh_token?: string
    expires_in?: number
    scope?: string
    error?: string
    error_description?: string
    [member: string]: unknown
  }
}

export async function postForm(
  send: SendPath,
  path: string,
  fields: Record<string, string | undefined>,
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.set(name, value)
  return postBody(send, path, body.toString(), headers)
}

/** Posts exactly this body, as a form unless the headers say otherwise. */
export async function postBody(
  send: SendPath,
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const response = await send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as TokenAnswer['body'],
  }
}

export function redeem(
  send: SendPath,
  client: Registered,
  code: string,
  extra: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const fields = {
    grant_type: 'authorization_code',
    client_id: client.client_id,
    client_secret: client.client_secret,
    code,
    code_verifier: verifier,
    redirect_uri: client.redirect_uris[0],
    ...extra,
  }
  return postForm(send, '/token', fields, headers)
}

export function refresh(
  send: SendPath,
  client: Registered,
  refreshToken: string | undefined,
  extra: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<TokenAnswer> {
  const fields = {
    grant_type: 'refresh_token',
    client_id: client.client_id,
    client_secret: client.client_secret,
    refresh_token: refreshToken,
    ...extra,
  }
  return postForm(send, '/token', fields, headers)
}

/** The claims of an access token; the signature is not looked at. */
export function readClaims(accessToken: string | undefined): Record<string, unknown> {
  const payload = accessToken?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

/** The header of HTTP Basic, unencoded as the TypeScript SDK sends it. */
export function basic(id: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}
