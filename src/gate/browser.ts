/**
 * Which browsers may speak to the gate (MCP 2026-07-28 streamable-http, catalogue RS-13, DI-04).
 *
 * Nothing ambient authorises a request here: no cookie and no address, only a token that a page must
 * have been given. On a public issuer a page of any origin may therefore use the gate, and CORS lets
 * it. On a loopback issuer the gate is one of the services of somebody's own machine, which any page
 * that person opens can reach: there only pages of that machine and installed apps may speak to it. The
 * same holds where OAuth is off, since to reach the server is then all that it takes.
 * The `Host` must be ours in both cases, which is what stops DNS rebinding.
 */
import type { Config } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { isLoopbackHost, verifyOwnHost } from '../platform/host.ts'

/** `scheme://host[:port]`: what RFC 6454 §7 allows, without user information, path or a second value. */
const originShape = /^([a-z][a-z0-9+.-]*):\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])?(?::\d{1,5})?$/i

/** What it depends on. */
type Door = Pick<Config, 'issuer' | 'oauthEnabled'>

/**
 * Refuses a request that was not meant for this server or comes from a page that may not ask.
 *
 * @throws OAuthError `invalid_request` with status 421 for a foreign `Host`, 403 for a bad `Origin`
 */
export function verifyBrowser(request: Request, door: Door): void {
  verifyOwnHost(request, door.issuer)
  const origin = request.headers.get('origin')
  if (origin === null || isAllowedOrigin(origin, door)) return
  throw new OAuthError('invalid_request', 'Pages of this origin may not use this server', {
    status: 403,
    reason: 'foreign_origin',
  })
}

function isAllowedOrigin(origin: string, { issuer, oauthEnabled }: Door): boolean {
  const isAmbient = !oauthEnabled || isLoopbackHost(new URL(issuer).hostname)
  if (origin === 'null') return !isAmbient
  const scheme = originShape.exec(origin)?.[1]?.toLowerCase()
  if (scheme === undefined) return false
  if (!isAmbient || origin === issuer) return true
  if (scheme !== 'http' && scheme !== 'https') return true
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}
