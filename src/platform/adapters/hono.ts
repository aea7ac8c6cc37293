/** Gatehouse in a Hono application, on any runtime: `app.use(toMiddleware(gatehouse))`. */
import type { MiddlewareHandler } from 'hono'
import type { Guarding, Mountable } from './node.ts'

/** Answers our paths and leaves all others to the application. */
export function toMiddleware(mounted: Mountable): MiddlewareHandler {
  return (c, next) => {
    const { raw } = c.req
    return mounted.serves(new URL(raw.url).pathname) ? mounted.fetch(raw, c.env) : next()
  }
}

/** Lets in whoever has an access token for the route; `c.get('auth')` then says who it is. */
export function toGuard<Auth, Options>(
  guarding: Guarding<Auth, Options>,
  options?: Options,
): MiddlewareHandler<{ Variables: { auth: Auth } }> {
  return async (c, next) => {
    const passage = await guarding.guard(c.req.raw, options, c.env)
    if ('response' in passage) return passage.response
    c.set('auth', passage.auth)
    await next()
    for (const [name, value] of Object.entries(passage.headers)) c.header(name, value)
    return undefined
  }
}
