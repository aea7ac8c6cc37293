/** The standalone server: a listening `node:http` server with sane limits that stops without dropping anyone. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type FetchHandler, toNodeListener } from './adapters/node.ts'

/** Where to listen. */
export interface ListenOptions {
  /** Address or name to bind. */
  readonly host: string
  /** Port; 0 for any free one. */
  readonly port: number
  /** Longest time a client may take to send its whole request. Default 300; responses are not limited. */
  readonly requestTimeoutSeconds?: number
}

/** A server that listens. */
export interface NodeServer {
  /** `http://host:port`, as bound. */
  readonly url: string
  readonly port: number
  /**
   * Stops (catalogue HA-10): accepts nothing more, lets requests in flight finish for up to
   * `graceSeconds` (default 10), ends standing streams, then closes what is left.
   */
  close(graceSeconds?: number): Promise<void>
}

/** Together they keep a slow or endless request head out (catalogue PX-06). */
const headersTimeoutMs = 60_000
const maxHeaderBytes = 16 * 1024

/** Longer than the idle time of the usual load balancers, so that they close first. */
const keepAliveTimeoutMs = 75_000

/** Starts a server for a fetch handler; rejects when the address cannot be bound. */
export function listen(fetch: FetchHandler, options: ListenOptions): Promise<NodeServer> {
  const requestTimeoutMs = (options.requestTimeoutSeconds ?? 300) * 1000
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5000, requestTimeoutMs),
      keepAliveTimeout: keepAliveTimeoutMs,
    },
    toNodeListener(fetch),
  )
  // Older Nodes drop the fields beyond a default number without a word; the size limit bounds them too.
  server.maxHeadersCount = 0
  const open = trackExchanges(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve(toNodeServer(server, open, options.host))
    })
  })
}

/** A request being answered. */
interface OpenExchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

function trackExchanges(server: Server): Set<OpenExchange> {
  const open = new Set<OpenExchange>()
  server.on('request', (incoming, outgoing) => {
    const exchange = { incoming, outgoing }
    open.add(exchange)
    outgoing.once('close', () => {
      open.delete(exchange)
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
  })
  return open
}

function toNodeServer(server: Server, open: Set<OpenExchange>, host: string): NodeServer {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const name = host.includes(':') ? `[${host}]` : host
  let closing: Promise<void> | undefined
  return {
    url: `http://${name}:${port}`,
    port,
    close: (graceSeconds = 10) => (closing ??= closeGracefully(server, open, graceSeconds)),
  }
}

async function closeGracefully(
  server: Server,
  open: ReadonlySet<OpenExchange>,
  graceSeconds: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
  for (const { outgoing } of open)
    if (!outgoing.headersSent) outgoing.setHeader('Connection', 'close')
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>(
    (resolve) => (timer = setTimeout(resolve, graceSeconds * 1000)),
  )
  await Promise.race([untilOnlyStreamsStand(open), deadline])
  for (const { outgoing } of open) if (outgoing.headersSent) outgoing.end()
  await Promise.race([closed, deadline])
  clearTimeout(timer)
  server.closeAllConnections()
  await closed
}

async function untilOnlyStreamsStand(open: ReadonlySet<OpenExchange>): Promise<void> {
  const pending = [...open].filter((exchange) => !isStandingStream(exchange))
  await Promise.all(
    pending.map(({ outgoing }) => new Promise((resolve) => outgoing.once('close', resolve))),
  )
}

/** A GET whose head is out and whose body goes on waits for news and would never finish by itself. */
function isStandingStream({ incoming, outgoing }: OpenExchange): boolean {
  return incoming.method === 'GET' && outgoing.headersSent
}
