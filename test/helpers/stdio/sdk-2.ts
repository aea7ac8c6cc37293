/**
 * A server of SDK 2 over standard input and output, for sessions and for MCP 2026-07-28. With `NOTES`, a file,
 * it keeps notes there.
 */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { createNotebook } from '../../../src/cli/demo-server/notes.ts'

const { NOTES } = process.env

serveStdio(() => {
  const server = new McpServer({ name: 'sdk-2', version: '1.0.0' })
  server.registerTool(
    'greet',
    { inputSchema: z.object({ name: z.string() }) },
    async ({ name }) => ({
      content: [{ type: 'text', text: `Hello ${name} from ${process.pid}` }],
    }),
  )
  if (NOTES) addNotes(server, NOTES)
  return server
})

function addNotes(server: McpServer, file: string): void {
  const notebook = createNotebook(file)
  const note = z.object({ title: z.string(), text: z.string() })
  server.registerTool('add_note', { inputSchema: note }, async ({ title, text }) => {
    const { id } = await notebook.add(title, text)
    return { content: [{ type: 'text', text: `Added note ${id}` }] }
  })
  server.registerTool('list_notes', {}, async () => {
    const titles = (await notebook.list()).map(({ title }) => title)
    return { content: [{ type: 'text', text: titles.join() }] }
  })
}
