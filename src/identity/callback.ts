/**
 * The callback of a sign-in: is this the end of the trip that we began, and at whom?
 *
 * State first, then who is speaking, and only then what they say (catalogue UP-03, UP-04).
 */
import { strayCallback, toRefusal } from './provider-errors.ts'
import { type ErrorNames, toStandardErrorName } from './token-response.ts'
import type { UpstreamFlow } from './upstream.ts'

/** What a callback of this provider looks like. */
export interface ExpectedCallback {
  /** What people call the provider, for error texts. */
  readonly label: string
  /** What it puts into `iss`, when it does (RFC 9207). */
  readonly issuer: string
  /** The provider's own names for errors, and the RFC 6749 names they stand for. */
  readonly errorNames?: ErrorNames
}

/**
 * Makes sure that a callback belongs to this flow and brings a code.
 *
 * @throws OAuthError `invalid_request` when it is no callback of the flow; what the provider refused with
 *   otherwise, in our own words
 */
export function verifyCallback(
  { label, issuer, errorNames }: ExpectedCallback,
  callback: URL,
  flow: UpstreamFlow,
): void {
  const one = (name: string): string | undefined => {
    const [value, ...more] = callback.searchParams.getAll(name)
    if (more.length > 0) throw strayCallback(label, 'upstream_callback_malformed')
    return value
  }
  if (one('state') !== flow.state) throw strayCallback(label, 'upstream_state_mismatch')
  const speaker = one('iss')
  if (speaker !== undefined && speaker !== issuer) {
    throw strayCallback(label, 'upstream_issuer_mismatch')
  }
  const error = one('error')
  if (error !== undefined) {
    throw toRefusal(label, toStandardErrorName(errorNames, error), flow.redirectUri)
  }
  if (!one('code')) throw strayCallback(label, 'upstream_code_missing')
}

/** Our callback as registered, with the parameters that the browser brought to it. */
export function toRegisteredCallback(callback: URL, flow: UpstreamFlow): URL {
  const url = new URL(flow.redirectUri)
  url.search = callback.search
  return url
}
