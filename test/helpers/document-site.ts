/** A site that publishes client metadata documents over TLS, and a reader that finds it on this machine. */
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { createPinnedFetch, type FetchDocument } from '../../src/platform/pinned-fetch.ts'
import { createBrowser } from './browser.ts'
import { createCertificate } from './certificate.ts'
import type { TestGatehouse } from './gatehouse.ts'
import { authorizePath, type Registered } from './oauth-client.ts'

/** What one path answers. */
export type DocumentAnswer = RequestListener | Record<string, unknown>

export interface DocumentSite {
  /** `https://client.example:<port>`. */
  readonly origin: string
  readonly host: string
  readonly port: number
  /** Its certificate, to be trusted. */
  readonly ca: string
  /** Every request, in the order in which they came. */
  readonly requests: IncomingMessage[]
  /** Reads its documents; everything else cannot be reached. */
  readonly fetchDocument: FetchDocument
  /** Serves a document, or whatever else, at a path. */
  serve(path: string, answer: DocumentAnswer, headers?: Record<string, string>): void
  /** Drops every connection from now on, or answers again. */
  setDown(isDown: boolean): void
  close(): Promise<void>
}

/** Starts one on this machine. */
export async function startDocumentSite(name = 'client.example'): Promise<DocumentSite> {
  const { key, cert } = createCertificate({ host: name })
  const answers = new Map<string, RequestListener>()
  const requests: IncomingMessage[] = []
  let isDown = false
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    if (isDown) return void incoming.socket.destroy()
    requests.push(incoming)
    const answer = answers.get(incoming.url ?? '')
    if (answer) return answer(incoming, outgoing)
    outgoing.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    origin: `https://${name}:${port}`,
    host: `${name}:${port}`,
    port,
    ca: cert,
    requests,
    fetchDocument: createPinnedFetch({
      resolve: async (asked) => (asked === name ? ['127.0.0.1'] : []),
      isAllowed: (one) => one === '127.0.0.1',
      ca: cert,
    }),
    serve(path, answer, headers = {}) {
      const send: RequestListener = (_, outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'application/json', ...headers })
        outgoing.end(JSON.stringify(answer))
      }
      answers.set(path, typeof answer === 'function' ? answer : send)
    },
    setDown: (value) => {
      isDown = value
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Options of a Gatehouse that reads this site, where whoever is there may allow: nobody has to sign in. */
export function readingOptions({ fetchDocument }: DocumentSite) {
  return { fetchDocument, noSignIn: true, letAnyoneIn: true }
}

/** Opens a client's authorization request at such a Gatehouse and allows it; a code. */
export async function allow(
  { gatehouse, issuer }: TestGatehouse,
  client: Registered,
  extra?: Record<string, string | undefined>,
): Promise<string> {
  const browser = createBrowser(issuer, gatehouse.fetch)
  const page = await browser.open(issuer + authorizePath(client, extra))
  const back = page.status === 200 ? await browser.press(page, 'decision', 'allow') : page
  const code = back.url.searchParams.get('code')
  if (code === null) throw new Error(`No code, but ${back.status} ${back.text.slice(0, 200)}`)
  return code
}
