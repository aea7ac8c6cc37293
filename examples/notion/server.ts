/**
 * A workspace of pages over the HTTP+SSE transport of 2024-11-05, as the MCP servers of that time speak it.
 *
 * `GET /sse` opens the stream, `POST /messages?sessionId=…` sends. Start it with
 * `node examples/notion/server.ts 3000`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { z } from 'zod'
import { type Backend, readPort, toText } from '../serve-mcp.ts'

/** One page of the workspace. */
interface Page {
  readonly id: string
  readonly title: string
  readonly text: string
}

/** Starts the workspace. Its pages live as long as it does. */
export async function startWorkspace(port: number): Promise<Backend> {
  const pages: Page[] = [
    { id: 'p1', title: 'Roadmap', text: 'Q1: search. Q2: export. Q3: rest.' },
    { id: 'p2', title: 'Meeting notes', text: 'Ada draws the diagram; Grace finds the bug.' },
  ]
  const sessions = new Map<string, SSEServerTransport>()
  const server = createServer((request, response) => void answer(request, response))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (request.method === 'GET' && pathname === '/sse') return openSession(response)
    const session = sessions.get(searchParams.get('sessionId') ?? '')
    if (request.method !== 'POST' || pathname !== '/messages' || !session) {
      return void response.writeHead(404).end('There is no such session')
    }
    await session.handlePostMessage(request, response)
  }

  async function openSession(response: ServerResponse): Promise<void> {
    const transport = new SSEServerTransport('/messages', response)
    sessions.set(transport.sessionId, transport)
    response.once('close', () => sessions.delete(transport.sessionId))
    await createWorkspace(pages).connect(transport)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const found = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://127.0.0.1:${found}/sse`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function createWorkspace(pages: Page[]): McpServer {
  const server = new McpServer({ name: 'workspace', version: '1.0.0' })
  server.registerTool(
    'search_pages',
    { description: 'Pages with a word', inputSchema: { query: z.string() } },
    async ({ query }) => {
      const word = query.toLowerCase()
      const found = pages.filter(({ title, text }) =>
        `${title} ${text}`.toLowerCase().includes(word),
      )
      return toText(found.map(({ id, title }) => `${id}  ${title}`).join('\n') || 'No pages')
    },
  )
  server.registerTool(
    'get_page',
    { description: 'A whole page', inputSchema: { id: z.string() } },
    async ({ id }) => {
      const page = pages.find((one) => one.id === id)
      return page ? toText(`# ${page.title}\n\n${page.text}`) : toText(`There is no page ${id}`)
    },
  )
  server.registerTool(
    'create_page',
    { description: 'A new page', inputSchema: { title: z.string(), text: z.string() } },
    async ({ title, text }) => {
      const id = `p${pages.length + 1}`
      pages.push({ id, title, text })
      return toText(`Created ${id}`)
    },
  )
  return server
}

if (import.meta.main) console.log(`Workspace at ${(await startWorkspace(readPort(3000))).url}`)
