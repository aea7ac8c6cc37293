/** The Bearer scheme in both directions: our challenge (RFC 6750 §3) and the client's token (§2.1). */
import { OAuthError } from '../errors.ts'

/** Longest `Authorization` value we look at, in characters (JW-11). */
const authorizationLengthAllowed = 8192

/** What a `WWW-Authenticate` challenge says. */
export interface Challenge {
  /** Absolute URL of the protected-resource metadata (RFC 9728 §5.1). */
  readonly resourceMetadata: string
  /** Scopes that the operation needs, separated by spaces. */
  readonly scope?: string | undefined
  /** `invalid_token`, `insufficient_scope` … Absent when no token was presented (RS-01). */
  readonly error?: string | undefined
  readonly errorDescription?: string | undefined
}

/**
 * Writes a challenge: `Bearer resource_metadata="…", scope="…"`, then error and description.
 *
 * Every parameter appears at most once. Characters that RFC 6750 §3 forbids are replaced, so that no
 * value can leave its quotes or its line (mcp-spec I17).
 */
export function formatChallenge(challenge: Challenge): string {
  const parameters = {
    resource_metadata: challenge.resourceMetadata,
    scope: challenge.scope,
    error: challenge.error,
    error_description: challenge.errorDescription,
  }
  const written = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}="${toQuotable(value ?? '')}"`)
  return `Bearer ${written.join(', ')}`
}

/**
 * Reads the token of an `Authorization` header, or undefined when it carries none.
 *
 * The scheme is compared without regard to case and other schemes carry no token (RS-06). More than
 * one credential is `invalid_request` (RS-05). A token that is too long or has characters outside
 * RFC 6750 §2.1 is `invalid_token` (JW-11, JW-13).
 */
export function parseBearer(header: string | null): string | undefined {
  if (header === null) return undefined
  const text = header.slice(0, authorizationLengthAllowed + 1).trim()
  const [scheme = '', token, ...others] = text.split(/[ \t]+/, 4)
  if (/,[ \t]*bearer[ \t]/i.test(text)) throw severalTokens()
  if (scheme.toLowerCase() !== 'bearer' || token === undefined) return undefined
  if (others.length > 0 || token.includes(',')) throw severalTokens()
  if (header.length <= authorizationLengthAllowed && /^[A-Za-z0-9._~+/-]+=*$/.test(token))
    return token
  throw new OAuthError('invalid_token', 'The access token is malformed', {
    reason: 'token_malformed',
  })
}

function severalTokens(): OAuthError {
  return new OAuthError('invalid_request', 'Send one access token, in one Authorization header', {
    reason: 'token_repeated',
  })
}

function toQuotable(value: string): string {
  return value.replace(/"/g, "'").replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, '?')
}
