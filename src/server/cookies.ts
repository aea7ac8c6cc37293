/**
 * The cookies of the browser journey. Handles only: what they stand for is in the store.
 *
 * On an https issuer every name has the `__Host-` prefix, so no other host and no plain-text response
 * can set them. On a loopback http issuer, where browsers refuse that prefix, the names are different
 * ones: a cookie is never downgraded by what a request claims (catalogue EN-04).
 */

/** `browser` binds flows and forms to one browser, `session` is a sign-in, `trip` an upstream round trip. */
export type CookieName = 'browser' | 'session' | 'trip'

/** The name on the wire. */
export function toCookieName(name: CookieName, issuer: string): string {
  return issuer.startsWith('https:') ? `__Host-gatehouse-${name}` : `gatehouse-${name}`
}

/**
 * The value of one of our cookies; undefined when it is absent, sent twice or not ours by its shape (EN-07).
 */
export function findCookie(request: Request, name: CookieName, issuer: string): string | undefined {
  const header = request.headers.get('cookie')
  if (header === null || header.length > 16_384) return undefined
  const prefix = `${toCookieName(name, issuer)}=`
  const values = header
    .split(';')
    .map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((part) => part.startsWith(prefix))
    .map((part) => part.slice(prefix.length))
  const [value] = values
  if (values.length !== 1 || value === undefined) return undefined
  return /^[A-Za-z0-9_-]{16,128}$/.test(value) ? value : undefined
}

/**
 * A `Set-Cookie` value. Lax, because the upstream's callback is a cross-site navigation (EN-05).
 *
 * @param maxAgeSeconds absent: until the browser closes; 0 removes the cookie
 */
export function formatCookie(
  name: CookieName,
  value: string,
  issuer: string,
  maxAgeSeconds?: number,
): string {
  const parts = [`${toCookieName(name, issuer)}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax']
  if (issuer.startsWith('https:')) parts.push('Secure')
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`)
  return parts.join('; ')
}
