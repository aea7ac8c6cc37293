/** Where the browser comes back to when the doctor logs in: one request to 127.0.0.1 (RFC 8252 §7.3). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { html, renderHtml } from '../platform/html.ts'

/** A listener that waits for the browser. */
export interface CallbackListener {
  readonly port: number
  /** The first request to `path` that has a query; or why none came. To be called once. */
  wait(path: string): Promise<URL | 'timed-out' | 'interrupted'>
  close(): Promise<void>
}

/** How long it waits, and for what it stops at once. */
export interface Patience {
  readonly seconds: number
  readonly signal: AbortSignal
}

/** Begins to listen on a free port of 127.0.0.1. */
export async function startCallbackListener(patience: Patience): Promise<CallbackListener> {
  let expected: { path: string; onCallback: (url: URL) => void } | undefined
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://127.0.0.1')
    const isCallback = url.pathname === expected?.path && url.search !== ''
    if (!isCallback || !isLocal(incoming)) return sendPage(outgoing, 404, 'There is nothing here')
    sendPage(outgoing, 200, 'That was it. Go back to the terminal; this page can be closed')
    expected?.onCallback(url)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    wait: (path) =>
      waitFor((onCallback) => {
        expected = { path, onCallback }
      }, patience),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Another name that leads to this machine means that a page of somebody else asks (DNS rebinding). */
function isLocal({ headers, method }: IncomingMessage): boolean {
  return method === 'GET' && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.host ?? '')
}

function sendPage(outgoing: ServerResponse, status: number, text: string): void {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>gatehouse doctor</title></head>
<body><p>${text}.</p></body></html>
`
  outgoing.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  outgoing.end(renderHtml(page))
}

function waitFor(
  listen: (onCallback: (url: URL) => void) => void,
  { seconds, signal }: Patience,
): Promise<URL | 'timed-out' | 'interrupted'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('timed-out'), seconds * 1000)
    const stop = (): void => end('interrupted')
    const end = (came: URL | 'timed-out' | 'interrupted'): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve(came)
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop)
    listen(end)
  })
}
