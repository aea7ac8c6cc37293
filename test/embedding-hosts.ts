/** The same little application in each host that Gatehouse mounts into. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { Gatehouse } from '../src/options.ts'
import * as forExpress from '../src/platform/adapters/express.ts'
import * as forFastify from '../src/platform/adapters/fastify.ts'
import * as forHono from '../src/platform/adapters/hono.ts'
import { guardNodeRequest, toNodeHandler } from '../src/platform/adapters/node.ts'

/** Makes the listener of a host around a Gatehouse. `/mcp` needs `notes:read`, `/write` needs `notes:write`. */
export type HostMaker = (gatehouse: Gatehouse) => Promise<RequestListener>

const writing = { scopes: ['notes:write'] }
const hello = { hello: 'from the host' }

/** An MCP server without sessions whose one tool says who called it. */
async function answerMcp(incoming: IncomingMessage, outgoing: ServerResponse, body?: unknown) {
  const server = new McpServer({ name: 'host', version: '1.0.0' })
  server.registerTool('whoami', { description: 'Who calls' }, ({ authInfo }) => {
    const { clientId, scopes, resource, extra } = authInfo ?? {}
    const text = JSON.stringify({ clientId, scopes, resource: resource?.href, extra })
    return { content: [{ type: 'text', text }] }
  })
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  outgoing.once('close', () => void server.close())
  await server.connect(transport as Parameters<typeof server.connect>[0])
  await transport.handleRequest(incoming, outgoing, body)
}

async function hostInNode(gatehouse: Gatehouse): Promise<RequestListener> {
  return toNodeHandler(gatehouse, async (incoming, outgoing) => {
    const [path] = (incoming.url ?? '/').split('?')
    if (path === '/hello') return void outgoing.end(JSON.stringify(hello))
    if (path !== '/mcp' && path !== '/write') return void outgoing.writeHead(404).end('host')
    const options = path === '/write' ? writing : {}
    const auth = await guardNodeRequest(gatehouse, { incoming, outgoing }, options)
    if (!auth) return undefined
    return path === '/write' ? void outgoing.end('written') : answerMcp(incoming, outgoing)
  })
}

async function hostInExpress(gatehouse: Gatehouse): Promise<RequestListener> {
  const app = express()
  app.use(forExpress.toMiddleware(gatehouse))
  app.use(express.json())
  app.get('/hello', (_request, response) => void response.json(hello))
  app.all('/write', forExpress.toGuard(gatehouse, writing), (_, response) => {
    response.end('written')
  })
  app.all('/mcp', forExpress.toGuard(gatehouse), (request, response) =>
    answerMcp(request, response, request.body),
  )
  app.use((_request, response) => void response.status(404).end('host'))
  return app
}

async function hostInFastify(gatehouse: Gatehouse): Promise<RequestListener> {
  const app = Fastify()
  await app.register(forFastify.toPlugin(gatehouse))
  app.setNotFoundHandler((_request, reply) => reply.status(404).send('host'))
  app.get('/hello', async () => hello)
  const guarded = (options = {}) => ({ onRequest: forFastify.toGuard(gatehouse, options) })
  app.all('/write', guarded(writing), async () => 'written')
  app.all('/mcp', guarded(), (request, reply) => {
    reply.hijack()
    return answerMcp(request.raw, reply.raw, request.body)
  })
  await app.ready()
  return app.routing
}

async function hostInHono(gatehouse: Gatehouse): Promise<RequestListener> {
  const app = new Hono<{
    Bindings: { incoming: IncomingMessage; outgoing: ServerResponse }
  }>()
  app.use(forHono.toMiddleware(gatehouse))
  app.get('/hello', (c) => c.json(hello))
  app.all('/write', forHono.toGuard(gatehouse, writing), (c) => c.text('written'))
  app.all('/mcp', forHono.toGuard(gatehouse), async (c) => {
    await answerMcp(Object.assign(c.env.incoming, { auth: c.get('auth') }), c.env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  app.notFound((c) => c.text('host', 404))
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  return (incoming, outgoing) => void listener(incoming, outgoing)
}

/** Every host, by its name. */
export const hosts: readonly (readonly [name: string, make: HostMaker])[] = [
  ['node:http', hostInNode],
  ['Express', hostInExpress],
  ['Fastify', hostInFastify],
  ['Hono', hostInHono],
]

/** A listening server whose listener may come later. */
export async function openHost(): Promise<{
  readonly origin: string
  use(listener: RequestListener): void
  close(): Promise<void>
}> {
  let listener: RequestListener | undefined
  const server = createServer((incoming, outgoing) => listener?.(incoming, outgoing))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    origin: `http://localhost:${typeof address === 'object' ? address?.port : 0}`,
    use: (made) => {
      listener = made
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
