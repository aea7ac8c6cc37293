/** A server for the tests of a visit, with everything that a visit asks for, and a list of what it was asked. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'

/** Listens until the end of the test; returns the origin. */
export async function start(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  const origin = await listenOnLoopback(server)
  onTestFinished(() => closeNow(server))
  return origin
}

/** Stands in every place where a server has a secret. */
export const secret = 'sEcReT-VaLuE-0123456789abcdef'

/** An authorization server and MCP server in one that keeps a list of what it was asked. */
export async function startRecording(
  answer: (request: IncomingMessage, origin: string) => object | undefined = () => undefined,
) {
  const asked: { line: string; agent: string; authorization: string }[] = []
  const registered = new Set<string>()
  const origin: string = await start((request, response) => {
    const { method = '', url = '', headers } = request
    const line = `${method} ${url.split('?')[0]}`
    asked.push({
      line,
      agent: headers['user-agent'] ?? '',
      authorization: headers.authorization ?? '',
    })
    const reply = (status: number, body: object, more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...more })
      response.end(method === 'HEAD' ? undefined : JSON.stringify(body))
    }
    if (line === 'POST /register') {
      const id = `client-${registered.size}`
      registered.add(id)
      return reply(201, {
        client_id: id,
        redirect_uris: [],
        client_secret: secret,
        registration_access_token: secret,
        registration_client_uri: `${origin}/register/${id}`,
        ...answer(request, origin),
      })
    }
    if (method === 'DELETE') {
      registered.delete(url.split('/').at(-1) ?? '')
      response.writeHead(204).end()
      return
    }
    if (line === 'GET /authorize') {
      const location = `/sign-in?code=${secret}&state=open`
      response.writeHead(303, { location, 'set-cookie': `session=${secret}; Path=/` }).end()
      return
    }
    if (url.startsWith('/.well-known/oauth-protected')) {
      return reply(200, { resource: `${origin}/mcp`, authorization_servers: [`${origin}/tenant`] })
    }
    if (url.startsWith('/.well-known/')) {
      return reply(200, {
        issuer: `${origin}/tenant`,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        registration_endpoint: `${origin}/register`,
        jwks_uri: `${origin}/jwks`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      })
    }
    const challenge = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/x"`
    reply(401, {}, { 'www-authenticate': challenge })
  })
  return { origin, asked, registered }
}
