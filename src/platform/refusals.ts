/** What both exchanges answer when a body or a backend is no good, so that they answer the same. */
import { OAuthError } from '../errors.ts'

/** Largest request body that `forward` passes on unless told otherwise, in bytes (catalogue PX-15). */
export const defaultForwardLimitBytes = 4 * 1024 * 1024

/** Longest wait for a backend's response headers unless told otherwise, in seconds. */
export const defaultHeadersTimeoutSeconds = 60

/** Bodies with a declared length up to this many bytes are read whole, and can be sent on a second time. */
export const smallBodyBytes = 64 * 1024

/** 413: the body is longer than it may be. */
export function bodyTooLarge(limitBytes: number): OAuthError {
  return new OAuthError('invalid_request', `The request body is larger than ${limitBytes} bytes`, {
    status: 413,
    reason: 'body_too_large',
  })
}

/** 400: the client stopped before the body was complete. */
export function bodyCutShort(cause?: unknown): OAuthError {
  return new OAuthError('invalid_request', 'The request body ended too early', {
    reason: 'body_cut_short',
    cause,
  })
}

/** 400: the body is not UTF-8 text. */
export function bodyNotText(): OAuthError {
  return new OAuthError('invalid_request', 'The request body is not UTF-8 text', {
    reason: 'body_not_utf8',
  })
}

/**
 * Refuses a compressed request body: its size could not be told before it is unpacked.
 *
 * @throws OAuthError `invalid_request` with status 415
 */
export function verifyPlainBody(contentEncoding: string | null | undefined): void {
  if (!contentEncoding || contentEncoding.trim().toLowerCase() === 'identity') return
  throw new OAuthError('invalid_request', 'Send the request body without Content-Encoding', {
    status: 415,
    reason: 'body_encoded',
    headers: { 'Accept-Encoding': 'identity' },
  })
}

/** 503: the request would pass now, but its body is gone. */
export function repeatRequest(cause: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', 'Please send the request again', {
    status: 503,
    reason: 'body_not_repeatable',
    retryAfterSeconds: 1,
    cause,
  })
}

const timeoutCodes: ReadonlySet<unknown> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
])
const closingCodes: ReadonlySet<unknown> = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED'])

/**
 * What a client hears when a backend gave no answer: 504 when it took too long, 503 while we are
 * stopping, otherwise 502. Never 401, which would cost the client its tokens (catalogue PX-10, P5).
 */
export function toBackendFailure(cause: unknown): OAuthError {
  if (cause instanceof OAuthError) return cause
  const code = findErrorCode(cause)
  const refuse = (status: number, reason: string, description: string) =>
    new OAuthError('temporarily_unavailable', description, {
      status,
      reason,
      cause,
      retryAfterSeconds: 5,
    })
  if (timeoutCodes.has(code))
    return refuse(504, 'backend_timeout', 'The MCP server took too long to answer; try again')
  if (closingCodes.has(code))
    return refuse(503, 'gate_closing', 'The gateway is restarting; try again')
  return refuse(502, 'backend_unreachable', 'The MCP server cannot be reached right now; try again')
}

function findErrorCode(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  if ('code' in error) return error.code
  return findErrorCode(error.cause)
}
