/** Puts a fetch handler behind `node:http`: `createServer(toNodeListener(gatehouse.fetch))`. */
import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'

/**
 * Answers one request; `env` carries the sockets, `{ incoming, outgoing }`, and `takesAnswers: true`, which
 * lets a handler write its answer to them itself.
 */
export type FetchHandler = (request: Request, env?: unknown) => Promise<Response>

/**
 * A `node:http` request listener over a fetch handler.
 *
 * A request whose `Host` is missing, repeated or malformed is answered 400 before the handler sees it
 * (RFC 9112 §3.2, catalogue EN-01). The process's own `Request` and `Response` stay as they are.
 */
export function toNodeListener(fetch: FetchHandler): RequestListener {
  const listener = getRequestListener(
    (request, env) => fetch(request, { ...env, takesAnswers: true }),
    {
      overrideGlobalObjects: false,
    },
  )
  return (incoming, outgoing) => {
    if (!hasRepeatedHost(incoming.rawHeaders)) return void listener(incoming, outgoing)
    outgoing.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end()
  }
}

function hasRepeatedHost(rawHeaders: readonly string[]): boolean {
  const isHost = (text: string, at: number) => at % 2 === 0 && text.toLowerCase() === 'host'
  return rawHeaders.filter(isHost).length > 1
}
