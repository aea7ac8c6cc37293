/**
 * What goes wrong at an identity provider, in our own words.
 *
 * Nothing a provider or a forged callback says reaches a page, a client or the log as it is: error
 * names go through an allow-list, descriptions are dropped (catalogue UP-04), and causes are cut down
 * to their message, because the objects beneath carry tokens (UP-23).
 */
import { OAuthError, unavailable } from '../errors.ts'

type Refusal = 'denied' | 'code_refused' | 'unavailable' | 'misconfigured'

/** RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6. Every other name is nonsense to us. */
const refusals: Readonly<Record<string, Refusal>> = {
  access_denied: 'denied',
  login_required: 'denied',
  consent_required: 'denied',
  interaction_required: 'denied',
  account_selection_required: 'denied',
  invalid_grant: 'code_refused',
  temporarily_unavailable: 'unavailable',
  invalid_client: 'misconfigured',
  unauthorized_client: 'misconfigured',
  invalid_scope: 'misconfigured',
  unsupported_response_type: 'misconfigured',
}

/** The error of a provider that answered something unusable. */
export function nonsense(label: string, reason: string, cause?: unknown): OAuthError {
  return new OAuthError('server_error', `${label} gave an answer we cannot use; try again later`, {
    reason,
    status: 502,
    cause: toBareCause(cause),
  })
}

/**
 * The error for a name that the provider gave, in a callback or from its token endpoint. What only the owner can
 * mend has a cause for the log that says how.
 *
 * @param callback our callback at the provider, where it is known
 */
export function toRefusal(label: string, name: string, callback?: string): OAuthError {
  const refusal = Object.hasOwn(refusals, name) ? refusals[name] : undefined
  if (refusal === 'denied') {
    return new OAuthError('access_denied', `The sign-in at ${label} was not completed`, {
      reason: 'upstream_denied',
    })
  }
  if (refusal === 'code_refused') {
    return new OAuthError('access_denied', `The sign-in at ${label} has expired; start again`, {
      reason: 'upstream_code_refused',
    })
  }
  if (refusal === 'unavailable') return unavailable('upstream_unavailable')
  if (refusal === undefined) return nonsense(label, 'upstream_error')
  return nonsense(label, 'upstream_misconfigured', new Error(toAdvice(label, name, callback)))
}

/** What is wrong between us and a provider, and what to change, for the owner. */
function toAdvice(
  label: string,
  name: string,
  callback = 'the callback that the start names',
): string {
  if (name === 'unauthorized_client') {
    return `${label} does not let this server begin a sign-in (${name}): register exactly ${callback} there, and allow the authorization code flow`
  }
  if (name === 'invalid_client') {
    return `${label} does not know our client id, or refuses its secret (${name}): compare both with those of the application at ${label}; ids of apps that registered here mean nothing there`
  }
  return `${label} refuses what this server asks for (${name}): allow it for the application at ${label}, or ask for less`
}

/** The error for a callback of another flow, another provider or another issuer. */
export function strayCallback(label: string, reason: string): OAuthError {
  return new OAuthError(
    'invalid_request',
    `This is not the end of a sign-in at ${label} that began here; start again`,
    { reason },
  )
}

/**
 * The error for a claim that is not what it has to be, in an ID token or in userinfo. A nonce of another
 * flow means that the code was brought from there (catalogue UP-05, UP-06).
 */
export function toClaimRefusal(label: string, claim: string): OAuthError {
  if (claim === 'nonce') return strayCallback(label, 'upstream_nonce_mismatch')
  return nonsense(label, `upstream_${claim}_refused`)
}

/** Whatever was thrown on the way, as an error of ours. */
export function toProviderError(label: string, error: unknown): OAuthError {
  const own = findOwnError(error)
  if (own) return own
  const claim = findClaim(error)
  if (claim !== undefined) return toClaimRefusal(label, claim)
  const name = readErrorName(error)
  return name === undefined ? nonsense(label, 'upstream_malformed', error) : toRefusal(label, name)
}

/**
 * Whatever was thrown while tokens that we keep were used, as an error of ours: `invalid_grant` when the
 * provider refused for good, `access_denied` when our own rules did, and 503 for everything that may pass,
 * which includes nonsense and credentials that the owner must mend (catalogue P5).
 */
export function toCustodyError(label: string, error: unknown): OAuthError {
  const own = toProviderError(label, error)
  if (own.reason !== undefined && endings.has(own.reason)) return grantEnded(label)
  if (own.code === 'invalid_grant' || own.code === 'access_denied') return own
  return unavailable(own.reason ?? 'upstream_malformed', own.cause)
}

/** What a provider says of tokens that only the person can replace. */
const endings: ReadonlySet<string> = new Set([
  'upstream_code_refused',
  'upstream_denied',
  'upstream_token_refused',
])

/** The error for tokens that the provider has ended: only the person can get new ones. */
export function grantEnded(label: string): OAuthError {
  return new OAuthError('invalid_grant', `The sign-in at ${label} has ended; sign in again`, {
    reason: 'upstream_grant_ended',
  })
}

/** An error of ours that a library wrapped in its own. */
function findOwnError(error: unknown): OAuthError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof OAuthError) return at
  }
  return undefined
}

/** The claim that openid-client found to be another than expected, or past its time. */
function findClaim(error: unknown): string | undefined {
  const fault = error instanceof Error ? error.cause : undefined
  const detail = fault instanceof Error ? fault.cause : undefined
  if (typeof detail !== 'object' || detail === null) return undefined
  const { claim, attribute } = detail as { claim?: unknown; attribute?: unknown }
  return [claim, attribute].find((name) => typeof name === 'string')
}

/** The `error` that openid-client hangs on the errors it makes of error responses. */
function readErrorName(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('error' in error)) return undefined
  return typeof error.error === 'string' ? error.error : undefined
}

function toBareCause(cause: unknown): Error | undefined {
  return cause instanceof Error ? new Error(cause.message) : undefined
}
