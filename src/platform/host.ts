/** Which names this server answers to, whatever a request claims (catalogue DI-04, RS-13). */
import { OAuthError } from '../errors.ts'

/** Whether a hostname, as `URL` writes it, means the machine itself. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname)
  )
}

/**
 * Refuses a request that was not meant for us: its host is neither the issuer's nor a loopback name, on any port.
 *
 * A page that had its own name resolve to our address (DNS rebinding) is told apart by this alone.
 * Proxies in front must pass the public `Host` on, or a loopback one.
 *
 * @throws OAuthError `invalid_request` with status 421
 */
export function verifyOwnHost(request: Request, issuer: string): void {
  const { hostname } = new URL(request.url)
  if (hostname === new URL(issuer).hostname || isLoopbackHost(hostname)) return
  throw new OAuthError(
    'invalid_request',
    'This server has another name; let the proxy in front pass the public Host on',
    { status: 421, reason: 'foreign_host' },
  )
}
