/** Which names this server answers to, whatever a request claims (catalogue DI-04, RS-13). */

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
 * Whether a request was meant for us: its host is the issuer's or a loopback name, on any port.
 *
 * A page that had its own name resolve to our address (DNS rebinding) is told apart by this alone.
 * Proxies in front must pass the public `Host` on, or a loopback one.
 */
export function isOwnHost(requestUrl: string, issuer: string): boolean {
  const { hostname } = new URL(requestUrl)
  return hostname === new URL(issuer).hostname || isLoopbackHost(hostname)
}
