/** A live Gatehouse under a name of its own: a small proxy in front of it, where TLS ends. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { GatehouseOptions } from '../../src/options.ts'
import { createCertificate } from './certificate.ts'
import { type Live, startLive } from './live.ts'

/** Options that may depend on the issuer, such as an identity provider that must know our callback. */
type OptionsFor = (issuer: string) => Promise<Partial<GatehouseOptions>>

/**
 * Starts a live Gatehouse that the browser knows as `name`, such as `https://gatehouse.example`; the
 * issuer is that and a port. Programs of the test reach it in process, as they do not know the name.
 */
export async function startLiveAt(
  name: string,
  optionsFor: OptionsFor = async () => ({}),
): Promise<Live & { send(path: string, init?: RequestInit): Promise<Response> }> {
  const front = await startFront(name.startsWith('https:'))
  const issuer = `${name}:${front.port}`
  const live = await startLive({ issuer, ...(await optionsFor(issuer)) })
  front.forwardTo(Number(new URL(live.issuer).port))
  return {
    ...live,
    issuer,
    url: `${issuer}/mcp`,
    send: (path, init) => live.gatehouse.fetch(new Request(issuer + path, init)),
    close: async () => {
      await front.close()
      await live.close()
    },
  }
}

interface Front {
  readonly port: number
  /** Where connections go on to, at 127.0.0.1. */
  forwardTo(port: number): void
  close(): Promise<void>
}

async function startFront(secure: boolean): Promise<Front> {
  const sockets = new Set<Socket>()
  let target = 0
  const forward = (socket: Socket): void => {
    const inner = connect(target, '127.0.0.1')
    for (const end of [socket, inner]) {
      sockets.add(end)
      end.on('close', () => sockets.delete(end))
      // A browser hangs up when it likes, also in the middle of an answer.
      end.on('error', () => [socket, inner].map((each) => each.destroy()))
    }
    socket.pipe(inner).pipe(socket)
  }
  const server: Server = secure
    ? createTlsServer(createCertificate(), forward)
    : createServer(forward)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    forwardTo: (port) => {
      target = port
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
