/**
 * How the gate says no.
 *
 * What concerns the token is an OAuth error with its Bearer challenge (RFC 6750 §3). Anything else is
 * a JSON-RPC error without id, because clients take another body on 400 or 404 for a server of an
 * older revision (mcp-spec T28, T23).
 */
import type { RequestContext } from '../context.ts'
import { type OAuthError, toErrorBody } from '../errors.ts'
import { corsHeaders } from '../oauth/cors.ts'
import type { Answer } from '../platform/exchange.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'
import { headerMismatchCode, internalError, invalidRequest } from './error-codes.ts'
import { headerMismatch } from './policy/header-match.ts'

/** Response fields that a browser client must be able to read. */
export const exposedFields = ['WWW-Authenticate', 'Mcp-Session-Id', 'MCP-Protocol-Version']

/** The reason of a request without a token: no error, an invitation (catalogue RS-01). */
export const noCredentials = 'no_credentials'

/** The response to a request that the gate refused. */
export function renderRefusal(error: OAuthError): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...corsHeaders(exposedFields),
    ...error.headers,
  }
  if (error.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(error.retryAfterSeconds)
  return { status: error.status, headers, body: JSON.stringify(toBody(error)) }
}

/** Writes a refusal to the audit log. Whoever brought no token at all was not refused anything. */
export function auditRefusal(
  context: RequestContext,
  error: OAuthError,
  claims?: AccessTokenClaims,
  details?: Record<string, unknown>,
): void {
  if (error.reason === noCredentials) return
  context.audit({
    event: 'gate.refused',
    outcome: 'refused',
    reason: error.reason ?? error.code,
    clientId: claims?.client_id,
    userId: claims?.sub,
    grantId: claims?.gid,
    requestId: context.exchange.requestId,
    peer: context.exchange.peer,
    ...(details && { details }),
  })
}

function toBody(error: OAuthError): object {
  if (error.reason === noCredentials) return { message: error.description }
  if ('www-authenticate' in error.headers) return toErrorBody(error)
  const fault = error.status < 500 ? invalidRequest : internalError
  const code = error.reason === headerMismatch ? headerMismatchCode : fault
  const message = error.description ?? error.code
  return { jsonrpc: '2.0', error: { code, message, data: { error: error.code } } }
}
