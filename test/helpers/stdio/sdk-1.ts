/** A server of SDK 1 over standard input and output: sessions, and nothing of MCP 2026-07-28. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

const server = new McpServer({ name: 'sdk-1', version: '1.0.0' }, { capabilities: { logging: {} } })
let calls = 0
server.registerTool('greet', { inputSchema: { name: z.string() } }, async ({ name }) => {
  calls += 1
  const text = `Hello ${name}, call ${calls}`
  await server.server.sendLoggingMessage({ level: 'info', data: `greeting ${name}` })
  return { content: [{ type: 'text', text }] }
})
server.registerTool('ask', {}, async () => {
  const { content } = await server.server.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: 'What now?' } }],
    maxTokens: 10,
  })
  const text = Array.isArray(content) ? 'several' : content.type === 'text' ? content.text : ''
  return { content: [{ type: 'text', text }] }
})
await server.connect(new StdioServerTransport())
