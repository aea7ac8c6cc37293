/** Logins as rules and invitations compare them. */

/**
 * A login in lower case, of which no other character becomes an ASCII letter: the lower case of the Kelvin
 * sign (U+212A) is k, and a provider that knows both has two accounts.
 */
export function foldLogin(login: string): string {
  return login.replace(/[^\u212a]+/gu, (text) => text.toLowerCase())
}
