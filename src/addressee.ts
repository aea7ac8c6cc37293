/** Which requests are answered at all: those that were sent to us, by those who may be here. */
import type { RequestContext } from './context.ts'
import { OAuthError } from './errors.ts'
import { verifyOwnHost } from './platform/host.ts'
import type { Route } from './routes.ts'

/**
 * Whether the request was meant for us. For a page the `Host` must be ours, which stops DNS rebinding
 * (RS-13; the gate looks for itself, and documents are the same under any name). Without sign-in, what
 * came through a proxy is a stranger's (A7).
 */
export function verifyAddressee(request: Request, route: Route, { config }: RequestContext): void {
  if (route.errors === 'page') verifyOwnHost(request, config.issuer)
  if (!config.noSignIn || config.letAnyoneIn) return
  if (![...request.headers.keys()].some((name) => forwardingHeader.test(name))) return
  throw new OAuthError(
    'access_denied',
    'This server runs without sign-in and answers only this computer, not a proxy or tunnel: set up sign-in first',
    { reason: 'forwarded_without_sign_in' },
  )
}

/** What proxies, tunnels and content networks add to a request they pass on. */
const forwardingHeader =
  /^(?:forwarded|via|x-forwarded-.*|x-real-ip|true-client-ip|cf-.*|tailscale-.*)$/
