/**
 * A server of SDK 1 over standard input and output: sessions, and nothing of MCP 2026-07-28. With `NOTES`, a
 * file, it keeps notes there.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'
import { createNotebook } from '../../../src/cli/demo-server/notes.ts'

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
const { NOTES } = process.env
if (NOTES) {
  const notebook = createNotebook(NOTES)
  const note = { title: z.string(), text: z.string() }
  server.registerTool('add_note', { inputSchema: note }, async ({ title, text }) => {
    const { id } = await notebook.add(title, text)
    return { content: [{ type: 'text', text: `Added note ${id}` }] }
  })
  server.registerTool('list_notes', {}, async () => {
    const titles = (await notebook.list()).map(({ title }) => title)
    return { content: [{ type: 'text', text: titles.join() }] }
  })
}
await server.connect(new StdioServerTransport())
