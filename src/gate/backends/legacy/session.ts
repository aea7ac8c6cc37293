/**
 * Sessions of HTTP+SSE (MCP 2024-11-05): where the backend wants the messages of one stream, sealed for
 * whoever opened it. Any instance can open it again, and nothing is remembered (catalogue RS-17).
 */
import type { RequestContext } from '../../../context.ts'
import { OAuthError } from '../../../errors.ts'
import type { AccessTokenClaims } from '../../../tokens/access-token.ts'
import type { HttpBackend } from '../request-fields.ts'

/** Whose session it is, and at which backend. */
export interface LegacyHolder {
  readonly claims: AccessTokenClaims
  readonly backend: HttpBackend
  readonly context: RequestContext
}

const purpose = 'legacy-session'

/** Longest message URL of a backend, in characters: sealed, it must fit into a request line. */
const longestUrl = 2048

/** The query parameter of our message URLs. */
export const sessionParameter = 'session'

/** What two requests must have in common to belong to one session: the same user and client. */
export function toPrincipal({ sub, client_id }: AccessTokenClaims): string {
  return JSON.stringify([sub, client_id])
}

/** Where clients post the messages of a stream that they opened at `path`. */
export function toMessagesPath(path: string): string {
  return `${path}/messages`
}

/** The address for the messages of a session, as an `endpoint` event gives it: on our own origin. */
export function toMessagesAddress(path: string, session: string): string {
  return `${toMessagesPath(path)}?${sessionParameter}=${encodeURIComponent(session)}`
}

/**
 * The backend's message URL, as its `endpoint` event gives it.
 *
 * @throws OAuthError with status 502 unless it is on the backend's own origin: whatever it says, the
 *   owner allowed no other
 */
export function resolveMessageUrl(data: string, to: URL): URL {
  const url = data.length <= longestUrl && URL.canParse(data, to) ? new URL(data, to) : undefined
  const isOwn = url?.origin === to.origin && url.username === '' && url.password === ''
  if (url && isOwn) return url
  throw new OAuthError(
    'temporarily_unavailable',
    'The MCP server named a place for messages that the gateway does not send to',
    { status: 502, reason: 'backend_endpoint_foreign', retryAfterSeconds: 30 },
  )
}

/** The session of a message URL. */
export function sealSession(url: URL, { claims, backend, context }: LegacyHolder): string {
  const row = JSON.stringify([toPrincipal(claims), backend.resource])
  return context.sealer.seal(purpose, row, url.href)
}

/**
 * The message URL of a session.
 *
 * @throws OAuthError with status 404, as for one that never was, when somebody else opened it
 */
export function openSession(session: string, { claims, backend, context }: LegacyHolder): URL {
  const row = JSON.stringify([toPrincipal(claims), backend.resource])
  try {
    // Checked again: the owner may have moved the backend since.
    return resolveMessageUrl(context.sealer.open(purpose, row, session), backend.to)
  } catch (error) {
    const willPass = error instanceof OAuthError && error.status === 503
    throw willPass ? error : sessionNotFound()
  }
}

/** 404: no such session, or not yours. Clients begin a new one. */
export function sessionNotFound(): OAuthError {
  return new OAuthError('invalid_request', 'Session not found', {
    status: 404,
    reason: 'session_not_held',
  })
}

/** The session that a request names; the empty text when it names none, or several. */
export function readSessionParameter(request: Request): string {
  const [session = '', ...others] = new URL(request.url).searchParams.getAll(sessionParameter)
  return others.length === 0 ? session : ''
}
