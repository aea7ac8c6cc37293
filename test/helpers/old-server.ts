/**
 * A server of HTTP+SSE (MCP 2024-11-05), as the official SDK 1 builds them: `GET /sse` opens a stream whose
 * first event says where messages go. It keeps what reached it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { z } from 'zod'
import { closeNow, listenOnLoopback } from './loopback.ts'
import type { SeenRequest } from './session-server.ts'

/** A request, and the path it came to. */
export interface SeenAt extends SeenRequest {
  readonly url: string
}

/** The old server, listening. */
export interface OldServer {
  /** The URL of its event stream. */
  readonly url: string
  readonly seen: SeenAt[]
  /** Open streams by session id. */
  readonly streams: Map<string, McpServer>
  /** Ends every stream, as a restart does. */
  restart(): void
  close(): Promise<void>
}

/** Starts one on a free port. */
export async function startOldServer(): Promise<OldServer> {
  const seen: SeenAt[] = []
  const streams = new Map<string, McpServer>()
  const transports = new Map<string, SSEServerTransport>()
  const open = async (outgoing: ServerResponse) => {
    const transport = new SSEServerTransport('/messages', outgoing)
    const mcp = createMcp()
    streams.set(transport.sessionId, mcp)
    transports.set(transport.sessionId, transport)
    outgoing.on('close', () => {
      streams.delete(transport.sessionId)
      transports.delete(transport.sessionId)
    })
    await mcp.connect(transport)
  }
  const take = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await text(incoming)
    const { method = '', url = '', headers } = incoming
    seen.push({ method, url, headers, body })
    if (method === 'GET' && url.startsWith('/sse')) return open(outgoing)
    const session = new URL(url, 'http://old.example').searchParams.get('sessionId')
    const transport = transports.get(session ?? '')
    if (method !== 'POST' || !transport) return void outgoing.writeHead(404).end('No such session')
    return transport.handlePostMessage(incoming, outgoing, JSON.parse(body))
  }
  const server = createServer((incoming, outgoing) => void take(incoming, outgoing))
  const origin = await listenOnLoopback(server)
  return {
    url: `${origin}/sse`,
    seen,
    streams,
    restart: () => server.closeAllConnections(),
    close: async () => {
      await Promise.all([...streams.values()].map((mcp) => mcp.close()))
      await closeNow(server)
    },
  }
}

function createMcp(): McpServer {
  const mcp = new McpServer(
    { name: 'old', version: '1.0.0' },
    { capabilities: { logging: {}, tools: {} } },
  )
  const toAnswer = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
  const inputSchema = { text: z.string() }
  mcp.registerTool('echo', { inputSchema }, (given) => toAnswer(given.text))
  mcp.registerTool('ask', {}, async ({ _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken
    for (let progress = 1; progress <= 3 && progressToken !== undefined; progress += 1)
      await sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 3 },
      })
    const said = await mcp.server.elicitInput({
      message: 'What is your name?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    })
    return toAnswer(`Hello ${String(said.content?.['name'])}`)
  })
  return mcp
}
