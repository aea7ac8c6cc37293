/**
 * Gatehouse in an Express application (4 or 5): `app.use(toMiddleware(gatehouse))`, before any body parser.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Guarding, guardNodeRequest, type Mountable, toNodeListener, toPath } from './node.ts'

/** As much of Express as is used here. */
export type ExpressMiddleware = (
  incoming: IncomingMessage & { readonly originalUrl?: string },
  outgoing: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Answers our paths and leaves all others to the middleware after it. Mount it at the root, because the
 * issuer is an origin, and before `express.json()`, because bodies are read from the socket.
 */
export function toMiddleware(mounted: Mountable): ExpressMiddleware {
  const listener = toNodeListener(mounted.fetch)
  return (incoming, outgoing, next) => {
    if (!mounted.serves(toPath(incoming.originalUrl ?? incoming.url))) return next()
    // A router below a path has cut it off; our paths are those of the origin.
    incoming.url = incoming.originalUrl ?? incoming.url
    return listener(incoming, outgoing)
  }
}

/** Lets in whoever has an access token for the route; `req.auth` then says who it is. */
export function toGuard<Options>(
  guarding: Guarding<unknown, Options>,
  options?: Options,
): ExpressMiddleware {
  return (incoming, outgoing, next) => void pass(incoming, outgoing, next)

  async function pass(...[incoming, outgoing, next]: Parameters<ExpressMiddleware>): Promise<void> {
    try {
      const auth = await guardNodeRequest(guarding, { incoming, outgoing }, options)
      if (auth === undefined) return
    } catch (error) {
      return next(error)
    }
    next()
  }
}
