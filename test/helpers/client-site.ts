/** A web server that plays the client: it is where redirect URIs lead, and it remembers who arrived. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createCertificate } from './certificate.ts'

/** A request that arrived at the client. */
export interface Arrival {
  readonly url: URL
  readonly headers: IncomingMessage['headers']
}

export interface ClientSite {
  readonly origin: string
  /** Its redirect URI. */
  readonly callback: string
  /** Everything that was asked of it, but for icons. */
  readonly arrivals: Arrival[]
  /** Serves a page at a path. */
  serve(path: string, html: string): void
  close(): Promise<void>
}

/**
 * Starts one at `http://127.0.0.1`, `http://localhost` or an https name below `.example`.
 *
 * @param onward the callback does not answer itself but redirects there
 */
export async function startClientSite(name: string, onward?: string): Promise<ClientSite> {
  const pages = new Map<string, string>()
  const arrivals: Arrival[] = []
  let origin = ''
  const answer: RequestListener = (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', origin)
    if (url.pathname === '/favicon.ico') return void outgoing.writeHead(204).end()
    arrivals.push({ url, headers: incoming.headers })
    if (onward !== undefined && url.pathname === '/callback') {
      return void outgoing.writeHead(302, { location: onward + url.search }).end()
    }
    const html = pages.get(url.pathname) ?? '<!doctype html><title>Client</title><h1>Connected</h1>'
    outgoing.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
  }
  const secure = name.startsWith('https:')
  const server: Server = secure
    ? createSecureServer(createCertificate(), answer)
    : createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  origin = `${name}:${typeof address === 'object' && address ? address.port : 0}`
  return {
    origin,
    callback: `${origin}/callback`,
    arrivals,
    serve: (path, html) => void pages.set(path, html),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
