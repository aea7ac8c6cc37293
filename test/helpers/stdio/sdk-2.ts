/** A server of SDK 2 over standard input and output, for sessions and for MCP 2026-07-28. */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

serveStdio(() => {
  const server = new McpServer({ name: 'sdk-2', version: '1.0.0' })
  server.registerTool(
    'greet',
    { inputSchema: z.object({ name: z.string() }) },
    async ({ name }) => ({
      content: [{ type: 'text', text: `Hello ${name} from ${process.pid}` }],
    }),
  )
  return server
})
