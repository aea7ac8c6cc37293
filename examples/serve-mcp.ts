/** What the backends of the examples share: an MCP server over Streamable HTTP that knows nothing of OAuth. */
import { createServer } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server'

/** A backend that listens. */
export interface Backend {
  readonly url: string
  close(): Promise<void>
}

/** Serves the MCP server that `create` makes for each request at `/mcp`, on loopback; port 0 for any free one. */
export async function serveMcp(create: () => McpServer, port: number): Promise<Backend> {
  const mcp = createMcpHandler(create)
  const answer = toNodeHandler(mcp)
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const found = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://127.0.0.1:${found}/mcp`,
    async close() {
      await mcp.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** The port that a backend is started on from the command line. */
export function readPort(fallback: number): number {
  return Number(process.argv[2] ?? fallback)
}

/** A tool's answer of one text. */
export function toText(text: string) {
  return { content: [{ type: 'text' as const, text }] }
}
