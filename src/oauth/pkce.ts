/** Proof Key for Code Exchange (RFC 7636), S256 only. */
import { OAuthError } from '../errors.ts'
import type { Params } from './params.ts'

/**
 * Reads the code challenge of an authorization request.
 *
 * Absent, `plain`, and an absent method, which means `plain`, are refused (AZ-07, AZ-08); who exempts a
 * client does not call this. A challenge is base64url of a SHA-256, thus exactly 43 characters (AZ-09).
 * Throws `invalid_request`.
 */
export function parseCodeChallenge(params: Params): string {
  const challenge = params.get('code_challenge')
  const method = params.get('code_challenge_method')
  if (challenge === undefined || method !== 'S256') {
    throw new OAuthError(
      'invalid_request',
      'PKCE code_challenge and code_challenge_method=S256 are required',
      { reason: 'pkce_required' },
    )
  }
  if (/^[A-Za-z0-9_-]{43}$/.test(challenge)) return challenge
  throw new OAuthError(
    'invalid_request',
    'Parameter "code_challenge" must be a SHA-256 in base64url, 43 characters',
    { reason: 'pkce_challenge_malformed' },
  )
}

/**
 * Whether a verifier fits a challenge (RFC 7636 §4.6).
 *
 * @param sha256 SHA-256 of text as unpadded base64url, handed in because this room has no crypto.
 */
export function verifyCodeVerifier(
  verifier: string,
  challenge: string,
  sha256: (text: string) => string,
): boolean {
  return /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) && sha256(verifier) === challenge
}
