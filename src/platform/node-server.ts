/** The standalone server: a listening `node:http` server with sane limits that stops without dropping anyone. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
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
  /** Goes on as before, but every answer ends its connection, so that clients come back somewhere else. */
  drain(): void
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

/** How long a connection without a request may still send one once the server stops, in milliseconds. */
const silentMs = 500

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
  const traffic = trackTraffic(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve(toNodeServer(server, traffic, options.host))
    })
  })
}

/** What a server has to finish or to end before it is closed. */
interface Traffic {
  /** Whether every answer ends its connection. */
  isEnding: boolean
  /** The answers that are not over. */
  readonly open: Set<ServerResponse>
  /** Connections that never sent a request: browsers and clients open them in advance. */
  readonly silent: Set<Socket>
}

function trackTraffic(server: Server): Traffic {
  const traffic: Traffic = { isEnding: false, open: new Set(), silent: new Set() }
  const { open, silent } = traffic
  server.on('connection', (socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  // One function for all answers: it is bound to the one that is over.
  function forget(this: ServerResponse): void {
    open.delete(this)
    if (!server.listening) setImmediate(() => server.closeIdleConnections())
  }
  // Before the handler, which may send the head at once.
  server.prependListener('request', (incoming, outgoing) => {
    silent.delete(incoming.socket)
    open.add(outgoing)
    if (traffic.isEnding) outgoing.setHeader('Connection', 'close')
    outgoing.on('close', forget)
  })
  return traffic
}

function endConnections(traffic: Traffic): void {
  traffic.isEnding = true
  for (const outgoing of traffic.open) {
    if (!outgoing.headersSent) outgoing.setHeader('Connection', 'close')
  }
}

function toNodeServer(server: Server, traffic: Traffic, host: string): NodeServer {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const name = host.includes(':') ? `[${host}]` : host
  let closing: Promise<void> | undefined
  return {
    url: `http://${name}:${port}`,
    port,
    drain: () => endConnections(traffic),
    close: (graceSeconds = 10) => (closing ??= closeGracefully(server, traffic, graceSeconds)),
  }
}

async function closeGracefully(
  server: Server,
  traffic: Traffic,
  graceSeconds: number,
): Promise<void> {
  const { open, silent } = traffic
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
  const silence = setTimeout(() => endSilentSockets(silent), silentMs)
  endConnections(traffic)
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>(
    (resolve) => (timer = setTimeout(resolve, graceSeconds * 1000)),
  )
  await Promise.race([untilOnlyStreamsStand(open), deadline])
  for (const outgoing of open) if (outgoing.headersSent) outgoing.end()
  await Promise.race([closed, deadline])
  clearTimeout(timer)
  clearTimeout(silence)
  server.closeAllConnections()
  await closed
}

/** Node counts a connection that said nothing as busy; without this a stop would wait for all of its grace. */
function endSilentSockets(silent: ReadonlySet<Socket>): void {
  for (const socket of silent) socket.destroy()
}

async function untilOnlyStreamsStand(open: ReadonlySet<ServerResponse>): Promise<void> {
  const pending = [...open].filter((outgoing) => !isStandingStream(outgoing))
  await Promise.all(
    pending.map((outgoing) => new Promise((resolve) => outgoing.once('close', resolve))),
  )
}

/** A GET whose head is out and whose body goes on waits for news and would never finish by itself. */
function isStandingStream({ req, headersSent }: ServerResponse): boolean {
  return req.method === 'GET' && headersSent
}
