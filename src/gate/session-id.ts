/**
 * Binds a backend's `Mcp-Session-Id` to whom it was given (MCP 2025-03-26 to 2025-11-25; catalogue
 * RS-17): the client gets the backend's id with a keyed hash of id, user, client and resource behind
 * it. Any instance can check that, and nothing is remembered.
 */
import type { Backend, RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { equalInConstantTime } from '../platform/crypto.ts'
import type { HeaderField } from '../platform/exchange.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'

const field = 'mcp-session-id'

/** 132 bits. */
const bindingLength = 22

/** Revisions from this one on have no sessions; an id sent to them means nothing (mcp-spec T25). */
const firstWithoutSessions = '2026-07-28'

/** For whom a session id is good. */
export interface SessionHolder {
  readonly claims: AccessTokenClaims
  readonly backend: Backend
  readonly context: RequestContext
}

/**
 * The client's fields with the backend's own session id in place of ours.
 *
 * @throws OAuthError `invalid_request` with status 404, as for an unknown session, when the id was
 *   given to somebody else: the client then begins a new one
 */
export function unwrapSessionId(
  fields: readonly HeaderField[],
  holder: SessionHolder,
): readonly HeaderField[] {
  const presented = fields.find(([name]) => name === field)?.[1]
  if (presented === undefined) return fields
  const others = fields.filter(([name]) => name !== field)
  const revision = fields.find(([name]) => name === 'mcp-protocol-version')?.[1] ?? ''
  if (/^\d{4}-\d\d-\d\d$/.test(revision) && revision >= firstWithoutSessions) return others
  const id = presented.slice(0, -bindingLength - 1)
  if (id === '' || !equalInConstantTime(presented, bind(id, holder)))
    throw new OAuthError('invalid_request', 'Session not found', {
      status: 404,
      reason: 'session_not_held',
    })
  return [...others, [field, id]]
}

/** The backend's fields with its session id bound to the holder. */
export function wrapSessionId(
  fields: readonly HeaderField[],
  holder: SessionHolder,
): readonly HeaderField[] {
  return fields.map(([name, value]) => [name, name === field ? bind(value, holder) : value])
}

function bind(id: string, { claims, backend, context }: SessionHolder): string {
  const subject = JSON.stringify([claims.sub, claims.client_id, backend.resource, id])
  return `${id}.${context.sealer.index('mcp-session', subject).slice(0, bindingLength)}`
}
