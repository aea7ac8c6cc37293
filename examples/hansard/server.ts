/**
 * A parliament search over a bundled corpus, as ChatGPT's connectors expect one: `search` and `fetch`.
 *
 * The speeches were written for this example. Start it with `node examples/hansard/server.ts 3000`.
 */
import { readFileSync } from 'node:fs'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Backend, readPort, serveMcp, toText } from '../serve-mcp.ts'

/** One speech of the record. */
interface Speech {
  readonly id: string
  readonly date: string
  readonly speaker: string
  readonly constituency: string
  readonly debate: string
  readonly text: string
}

const corpus = JSON.parse(
  readFileSync(new URL('speeches.json', import.meta.url), 'utf8'),
) as readonly Speech[]

/** Starts the search. */
export function startHansard(port: number): Promise<Backend> {
  return serveMcp(createHansard, port)
}

function createHansard(): McpServer {
  const server = new McpServer({ name: 'hansard', version: '1.0.0' })
  const annotations = { readOnlyHint: true, openWorldHint: false }
  server.registerTool(
    'search',
    {
      title: 'Search the record',
      description: 'Speeches with all of the words, newest first: id, title and address of each',
      inputSchema: z.object({ query: z.string().min(1).max(200) }),
      annotations,
    },
    async ({ query }) => {
      const results = findSpeeches(query).map((speech) => ({
        id: speech.id,
        title: toTitle(speech),
        url: toAddress(speech),
      }))
      return toText(JSON.stringify({ results }))
    },
  )
  server.registerTool(
    'fetch',
    {
      title: 'Read a speech',
      description: 'The whole of one speech',
      inputSchema: z.object({ id: z.string().describe('Id from search') }),
      annotations,
    },
    async ({ id }) => {
      const speech = corpus.find((one) => one.id === id)
      if (!speech) return { ...toText(`There is no speech ${id}; see search`), isError: true }
      const { text, speaker, constituency, date } = speech
      const metadata = { speaker, constituency, date }
      return toText(
        JSON.stringify({ id, title: toTitle(speech), text, url: toAddress(speech), metadata }),
      )
    },
  )
  return server
}

/** Speeches that have every word of the query in text, speaker, debate or date. */
function findSpeeches(query: string): Speech[] {
  const words = query.toLowerCase().split(/\W+/).filter(Boolean)
  return corpus
    .filter(({ text, speaker, debate, date }) => {
      const haystack = `${text} ${speaker} ${debate} ${date}`.toLowerCase()
      return words.every((word) => haystack.includes(word))
    })
    .toSorted((a, b) => b.date.localeCompare(a.date))
}

function toTitle({ debate, speaker, date }: Speech): string {
  return `${debate}: ${speaker}, ${date}`
}

function toAddress({ id }: Speech): string {
  return `https://record.example/speeches/${id}`
}

if (import.meta.main) console.log(`Hansard at ${(await startHansard(readPort(3000))).url}`)
