/** Stands before the MCP server and keeps what Gatehouse lets through to it. */
import { listen } from '../../src/platform/node-server.ts'

/** A JSON-RPC message that arrived. */
export interface Call {
  readonly method: string
  /** The MCP revision that it is written in, or asks for. */
  readonly revision: string | undefined
}

/** The part of a message that is read. */
interface Message {
  readonly method?: string
  readonly params?: { readonly protocolVersion?: string }
}

/** Starts it in front of an MCP URL. */
export async function startRecorder(
  to: string,
): Promise<{ url: string; calls: readonly Call[]; close(): Promise<void> }> {
  const calls: Call[] = []
  const server = await listen(
    async (request) => {
      const { method, headers, signal } = request
      const body = method === 'POST' ? await request.text() : undefined
      const message = body ? (JSON.parse(body) as Message) : {}
      const revision = message.params?.protocolVersion ?? headers.get('mcp-protocol-version')
      if (message.method) calls.push({ method: message.method, revision: revision ?? undefined })
      return fetch(to, { method, headers, signal, ...(body && { body }) })
    },
    { host: '127.0.0.1', port: 0 },
  )
  return { url: `${server.url}/mcp`, calls, close: () => server.close(0) }
}
