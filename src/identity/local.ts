/** Rules for the accounts that live here: what may be an e-mail address and what may be a password. */
import { OAuthError } from '../errors.ts'
import { parseEmail } from './email.ts'

/** Shortest password, in characters. NIST SP 800-63B §3.1.1.2 asks for length, never for composition. */
export const shortestPassword = 10

/** Longest password, in characters; longer ones are refused before they cost anything. */
export const longestPassword = 200

/**
 * The address in its one spelling.
 *
 * @throws OAuthError `invalid_request` when the text is no e-mail address
 */
export function parseLocalEmail(text: string): string {
  const email = parseEmail(text)
  if (email !== undefined) return email
  throw new OAuthError(
    'invalid_request',
    'This is not an e-mail address; use one like me@example.com',
    {
      reason: 'email_malformed',
    },
  )
}

/**
 * A new password in its one spelling (NFKC, so that every keyboard yields the same).
 *
 * @throws OAuthError `invalid_request` when it is too short or too long
 */
export function parseNewPassword(text: string): string {
  const password = normalizePassword(text)
  const length = [...password].length
  if (length >= shortestPassword && length <= longestPassword) return password
  throw new OAuthError(
    'invalid_request',
    `The password must have ${shortestPassword} to ${longestPassword} characters`,
    { reason: length < shortestPassword ? 'password_too_short' : 'password_too_long' },
  )
}

/** A presented password in its one spelling, or undefined when it is too long to be anyone's. */
export function parsePresentedPassword(text: string): string | undefined {
  if (text.length > 4 * longestPassword) return undefined
  const password = normalizePassword(text)
  return [...password].length <= longestPassword ? password : undefined
}

function normalizePassword(text: string): string {
  return text.normalize('NFKC')
}
