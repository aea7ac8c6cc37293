/**
 * A small but real MCP server that knows nothing of OAuth: a notebook, over Streamable HTTP, in every
 * protocol revision the official SDK speaks. It listens on loopback and answers only to Gatehouse,
 * which sends its key.
 */
import { createServer } from 'node:http'
import { localhostHostValidation, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { equalInConstantTime } from '../../platform/crypto.ts'
import type { Note, Notebook } from './notes.ts'

/** Header in which Gatehouse shows the key. */
export const keyHeader = 'x-notes-key'

/** The notes server, listening. */
export interface NotesServer {
  readonly url: string
  close(): Promise<void>
}

/** Starts the notes server on a free loopback port. Requests without the key are refused. */
export async function startNotesServer(notebook: Notebook, key: string): Promise<NotesServer> {
  const mcp = createMcpHandler(() => createNotesMcp(notebook))
  const answer = toNodeHandler(mcp)
  const isLocal = localhostHostValidation()
  const server = createServer((incoming, outgoing) => {
    const shown = incoming.headers[keyHeader]
    if (typeof shown !== 'string' || !equalInConstantTime(shown, key)) {
      outgoing
        .writeHead(403, { 'content-type': 'text/plain' })
        .end('Reach this server through Gatehouse\n')
      return
    }
    if (isLocal(incoming, outgoing)) void answer(incoming, outgoing)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async close() {
      await mcp.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function createNotesMcp(notebook: Notebook): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  addReadingTools(server, notebook)
  server.registerTool(
    'add_note',
    {
      title: 'Add a note',
      description: 'Writes a new note into the notebook',
      inputSchema: z.object({
        title: z.string().min(1).max(200).describe('A few words'),
        text: z.string().max(20_000).describe('The note itself'),
      }),
      annotations: { destructiveHint: false, openWorldHint: false },
    },
    async ({ title, text }) => toAnswer(`Added note ${(await notebook.add(title, text)).id}`),
  )
  return server
}

function addReadingTools(server: McpServer, notebook: Notebook): void {
  const annotations = { readOnlyHint: true, openWorldHint: false }
  server.registerTool(
    'list_notes',
    { title: 'List notes', description: 'Titles and ids of all notes, newest first', annotations },
    async () => toAnswer(renderTitles(await notebook.list())),
  )
  server.registerTool(
    'read_note',
    {
      title: 'Read a note',
      description: 'The whole text of one note',
      inputSchema: z.object({ id: z.string().describe('Id from list_notes or search_notes') }),
      annotations,
    },
    async ({ id }) => {
      const note = await notebook.find(id)
      if (note === undefined)
        return { ...toAnswer(`There is no note ${id}; see list_notes`), isError: true }
      return toAnswer(`# ${note.title}\n\n${note.text}\n\n(${note.id}, ${note.createdAt})`)
    },
  )
  server.registerTool(
    'search_notes',
    {
      title: 'Search notes',
      description: 'Notes whose title or text contains the words',
      inputSchema: z.object({ query: z.string().min(1).max(200) }),
      annotations,
    },
    async ({ query }) => toAnswer(renderTitles(await notebook.search(query))),
  )
}

function renderTitles(notes: readonly Note[]): string {
  if (notes.length === 0) return 'No notes'
  return notes.map(({ id, title }) => `${id}  ${title}`).join('\n')
}

function toAnswer(text: string) {
  return { content: [{ type: 'text' as const, text }] }
}
