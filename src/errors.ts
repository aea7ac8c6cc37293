/**
 * The one error class of Gatehouse and the table from OAuth error code to HTTP status.
 *
 * An error knows what it means (`code`), what a person may read (`description`) and what only the
 * log may know (`reason`, `cause`). It does not know how it is shown: that is the route's business.
 */

/** Every code Gatehouse answers with, and the status it has unless the error says otherwise. */
export const errorStatus = {
  // RFC 6749 §4.1.2.1 and §5.2
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_scope: 400,
  access_denied: 403,
  server_error: 500,
  temporarily_unavailable: 503,
  // RFC 8707 §2
  invalid_target: 400,
  // RFC 7591 §3.2.2
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  // RFC 6750 §3.1
  invalid_token: 401,
  insufficient_scope: 403,
  // OpenID Connect Core §3.1.2.6, for prompt=none
  login_required: 400,
  interaction_required: 400,
} as const satisfies Record<string, number>

/** A code from {@link errorStatus}. */
export type ErrorCode = keyof typeof errorStatus

/** What an {@link OAuthError} carries besides its code and its public description. */
export interface OAuthErrorDetails {
  /** A machine word for the log (`pkce_mismatch`); never sent to anyone. */
  reason?: string
  /** What went wrong underneath; logged, never sent. */
  cause?: unknown
  /** HTTP status, where the meaning differs from the table: 404, 405, 413, 415, 429. */
  status?: number
  /** Sent as `Retry-After`. Always set on 429 and 503. */
  retryAfterSeconds?: number
  /** Further response headers, such as `Allow`. */
  headers?: Record<string, string>
  /**
   * Where the browser may be sent with this error: a `TrustedRedirect` from `oauth/redirect-uri.ts`.
   * Typed loosely here (errors import nothing); the renderer accepts only values minted there.
   */
  redirect?: object
  /** A path of ours from which the person can try again, for the error page. */
  retryPath?: string
}

/** A refusal or fault that a client or a person is told about. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: ErrorCode
  /** May be read by anyone: sentence case, no final period, names the thing and the way out. */
  readonly description: string | undefined
  readonly reason: string | undefined
  readonly status: number
  readonly retryAfterSeconds: number | undefined
  readonly headers: Record<string, string>
  readonly redirect: object | undefined
  readonly retryPath: string | undefined

  constructor(code: ErrorCode, description?: string, details: OAuthErrorDetails = {}) {
    super(description ?? code, { cause: details.cause })
    this.code = code
    this.description = description
    this.reason = details.reason
    this.status = details.status ?? errorStatus[code]
    this.retryAfterSeconds = details.retryAfterSeconds
    this.headers = details.headers ?? {}
    this.redirect = details.redirect
    this.retryPath = details.retryPath
  }
}

/**
 * A fault that will pass: the store, the upstream or a key cannot be reached right now.
 *
 * Always 503 with `Retry-After`, never `invalid_*` and never 401: SDK clients erase their tokens on
 * those (security catalogue P5).
 */
export function unavailable(reason: string, cause?: unknown): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'The server cannot answer right now; try again',
    {
      reason,
      cause,
      retryAfterSeconds: 2,
    },
  )
}

/**
 * The RFC 6749 §5.2 body of an error.
 *
 * The characters that it forbids in a description are replaced: quotes by `'`, others by `?`.
 */
export function toErrorBody(error: OAuthError): { error: string; error_description?: string } {
  if (error.description === undefined) return { error: error.code }
  const plain = error.description.replaceAll('"', "'").replace(/[^\x20-\x5B\x5D-\x7E]/g, '?')
  return { error: error.code, error_description: plain }
}
