/**
 * The cookies of the browser journey. Handles only: what they stand for is in the store.
 *
 * On an https issuer every name has the `__Host-` prefix, so no other host and no plain-text response
 * can set them. On a loopback http issuer, where browsers refuse that prefix, the names are different
 * ones: a cookie is never downgraded by what a request claims (catalogue EN-04).
 */
import type { Config } from '../context.ts'

/**
 * `flow-<id>` binds a flow to the browser that began it, `setup` does so for the set-up form, `session` is a
 * sign-in, `trip` proves that this browser left for an identity provider.
 *
 * Each flow has a cookie of its own, so that tabs opened at the same moment do not take the other's away (CN-08).
 */
export type CookieName = `flow-${string}` | 'setup' | 'session' | 'trip'

/** The name on the wire. */
export function toCookieName(name: CookieName, issuer: string): string {
  return issuer.startsWith('https:') ? `__Host-gatehouse-${name}` : `gatehouse-${name}`
}

/**
 * The value of one of our cookies; undefined when it is absent, sent twice or not ours by its shape (EN-07).
 */
export function findCookie(request: Request, name: CookieName, issuer: string): string | undefined {
  const header = readHeader(request)
  const prefix = `${toCookieName(name, issuer)}=`
  if (!header.includes(prefix)) return undefined
  const [found, ...others] = splitCookies(header).filter((cookie) => cookie.startsWith(prefix))
  if (found === undefined || others.length > 0) return undefined
  const value = found.slice(prefix.length)
  return /^[A-Za-z0-9_-]{16,128}$/.test(value) ? value : undefined
}

/** The names of the flow cookies a request carries, in the order of browsers: oldest first (RFC 6265 §5.4). */
export function listFlowCookies(request: Request, issuer: string): CookieName[] {
  const header = readHeader(request)
  const prefix = toCookieName('flow-', issuer)
  if (!header.includes(prefix)) return []
  return splitCookies(header).flatMap((cookie) => {
    const id = cookie.startsWith(prefix) && flowId.exec(cookie.slice(prefix.length))?.[1]
    return id ? [`flow-${id}` as const] : []
  })
}

const flowId = /^([A-Za-z0-9_-]{22})=/

/** The field, empty when it is absent or longer than any that a browser of ours sends. */
function readHeader(request: Request): string {
  const header = request.headers.get('cookie')
  return header === null || header.length > 16_384 ? '' : header
}

/** `name=value` pairs. Only space and tab are trimmed: a name that begins with NBSP is another name (EN-07). */
function splitCookies(header: string): string[] {
  return header.split(';').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
}

/**
 * A `Set-Cookie` value. Lax, because the upstream's callback is a cross-site navigation (EN-05), and Secure
 * on https; a plain-text issuer, which is a developer's own machine, may have it otherwise (S6).
 *
 * @param maxAgeSeconds absent: until the browser closes; 0 removes the cookie
 */
export function formatCookie(
  name: CookieName,
  value: string,
  { issuer, developmentCookies = {} }: Pick<Config, 'issuer' | 'developmentCookies'>,
  maxAgeSeconds?: number,
): string {
  const isSecure = issuer.startsWith('https:')
  const { secure = false, sameSite = 'lax' } = isSecure ? { secure: true } : developmentCookies
  const site = `SameSite=${sameSite.replace(/^./, (letter) => letter.toUpperCase())}`
  const parts = [`${toCookieName(name, issuer)}=${value}`, 'Path=/', 'HttpOnly', site]
  if (secure) parts.push('Secure')
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`)
  return parts.join('; ')
}
