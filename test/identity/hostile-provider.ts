/** An identity provider on loopback that answers whatever a test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers one request. */
export type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A provider whose endpoints answer as the test says. */
export interface HostileProvider {
  readonly url: string
  /** What arrived, as `METHOD path`. */
  readonly requests: string[]
  /** Body of the last request to the token endpoint. */
  readonly tokenRequest: () => URLSearchParams
  token: Answer
  user: Answer
  emails: Answer
  close(): Promise<void>
}

/** An answer with a JSON body. */
export function json(body: unknown, status = 200): Answer {
  return text(JSON.stringify(body), status)
}

/** An answer with exactly this text. */
export function text(body: string | Buffer, status = 200, headers = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }
}

/** The answers of a provider that is well. */
export const well = {
  token: json({ access_token: 'gho_upstream', token_type: 'bearer', scope: 'read:user' }),
  user: json({ id: 583231, login: 'octocat', name: null }),
  emails: json([{ email: 'octocat@example.com', primary: true, verified: true }]),
}

/** Starts a provider that is well until its answers are replaced. */
export async function createHostileProvider(): Promise<HostileProvider> {
  const requests: string[] = []
  let tokenBody = ''
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      if (request.url === '/user') return provider.user(response, request)
      if (request.url === '/user/emails') return provider.emails(response, request)
      tokenBody = body
      provider.token(response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const provider: HostileProvider = {
    url: `http://127.0.0.1:${port}`,
    requests,
    tokenRequest: () => new URLSearchParams(tokenBody),
    ...well,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return provider
}
