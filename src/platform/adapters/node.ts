/**
 * Gatehouse in a `node:http` server: as the whole of it, `createServer(toNodeListener(gatehouse.fetch))`, or
 * beside routes of the host's own, `createServer(toNodeHandler(gatehouse, (req, res) => …))`.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'

/**
 * Answers one request; `env` carries the sockets, `{ incoming, outgoing }`, and `takesAnswers: true`, which
 * lets a handler write its answer to them itself.
 */
export type FetchHandler = (request: Request, env?: unknown) => Promise<Response>

/** What can be mounted: it answers requests, and says which paths are its own. */
export interface Mountable {
  readonly fetch: FetchHandler
  serves(path: string): boolean
}

/** What guards the host's own routes: it lets a request in, or has the answer to it. */
export interface Guarding<Auth, Options> {
  guard(request: Request, options?: Options, env?: unknown): Promise<Passage<Auth>>
}

/** The outcome of a guard. */
export type Passage<Auth> =
  | { readonly auth: Auth; readonly headers: Readonly<Record<string, string>> }
  | { readonly response: Response }

/**
 * A `node:http` request listener over a fetch handler.
 *
 * A request whose `Host` is missing, repeated or malformed is answered 400 before the handler sees it
 * (RFC 9112 §3.2, catalogue EN-01). The process's own `Request` and `Response` stay as they are.
 */
export function toNodeListener(fetch: FetchHandler): RequestListener {
  const listener = getRequestListener(
    (request, { incoming, outgoing }) => fetch(request, { incoming, outgoing, takesAnswers: true }),
    {
      overrideGlobalObjects: false,
    },
  )
  return (incoming, outgoing) => {
    if (!hasRepeatedHost(incoming.rawHeaders)) return void listener(incoming, outgoing)
    outgoing.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end()
  }
}

/** A listener that answers the paths of what is mounted, and leaves all others to the host. */
export function toNodeHandler(
  mounted: Mountable,
  others: (...sockets: Parameters<RequestListener>) => unknown,
): RequestListener {
  const listener = toNodeListener(mounted.fetch)
  return (incoming, outgoing) => {
    if (mounted.serves(toPath(incoming.url))) return listener(incoming, outgoing)
    return void others(incoming, outgoing)
  }
}

const servedMethods = 'GET, HEAD, POST, DELETE, OPTIONS'

/**
 * Who calls one of the host's own routes; undefined when the request is answered already.
 *
 * The result is also put on the request as `auth`, where the MCP SDK's transports look for it.
 *
 * @param onRefusal called before a refusal is sent, for hosts that must be told to leave the sockets alone
 */
export async function guardNodeRequest<Auth, Options>(
  guarding: Guarding<Auth, Options>,
  { incoming, outgoing }: { incoming: IncomingMessage; outgoing: ServerResponse },
  options?: Options,
  onRefusal?: () => unknown,
): Promise<Auth | undefined> {
  // A Request cannot have this method (Fetch, forbidden method); nobody needs it.
  if (incoming.method === 'TRACE') {
    onRefusal?.()
    return sendWhole(
      outgoing,
      new Response(null, { status: 405, headers: { allow: servedMethods } }),
    )
  }
  const passage = await guarding.guard(toHead(incoming), options, { incoming, outgoing })
  if ('response' in passage) {
    onRefusal?.()
    return sendWhole(outgoing, passage.response)
  }
  for (const [name, value] of Object.entries(passage.headers)) outgoing.setHeader(name, value)
  Object.assign(incoming, { auth: passage.auth })
  return passage.auth
}

/** The path of a request target, without its query. */
export function toPath(target = '/'): string {
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}

/** Method, URL and fields of a request; its body stays where it is. */
function toHead({ method = 'GET', url = '/', headers, rawHeaders }: IncomingMessage): Request {
  const fields = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    fields.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  }
  const place = `http://${headers.host ?? ''}`
  const href = URL.canParse(url, place) ? new URL(url, place).href : 'http://unknown.invalid/'
  return new Request(href, { method, headers: fields })
}

async function sendWhole(outgoing: ServerResponse, response: Response): Promise<undefined> {
  const body = Buffer.from(await response.arrayBuffer())
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(body)
}

function hasRepeatedHost(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}
