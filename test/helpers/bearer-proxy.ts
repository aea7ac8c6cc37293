/**
 * A loopback proxy that gives every request an access token, for clients that cannot send one.
 *
 * It is as dull as it can be: it changes nothing else, `Host` and `Origin` included. The Gatehouse
 * behind it therefore has the proxy's origin as its issuer, as behind any proxy that keeps the Host.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { closeNow, listenOnLoopback } from './loopback.ts'

/** Where requests go, and the token they get. */
export interface Onward {
  readonly target: string
  readonly token: string
}

/** The proxy, listening. */
export interface BearerProxy {
  readonly origin: string
  /** Sends requests on from now on; until then they are refused. */
  open(onward: Onward): void
  close(): Promise<void>
}

/** Starts one. Its origin has to be known before there can be a server behind it. */
export async function startBearerProxy(): Promise<BearerProxy> {
  let onward: Onward | undefined
  const server = createServer((incoming, outgoing) => {
    if (onward) forward(incoming, outgoing, onward)
    else outgoing.writeHead(503).end()
  })
  return {
    origin: await listenOnLoopback(server),
    open: (given) => {
      onward = given
    },
    close: () => closeNow(server),
  }
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, onward: Onward): void {
  const url = new URL(incoming.url ?? '/', onward.target)
  const headers = [...incoming.rawHeaders, 'Authorization', `Bearer ${onward.token}`]
  const sent = request(url, { method: incoming.method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    outgoing.flushHeaders()
    pipeline(answer, outgoing, () => {})
  })
  outgoing.on('close', () => sent.destroy())
  sent.on('error', () => outgoing.destroy())
  pipeline(incoming, sent, () => {})
}
