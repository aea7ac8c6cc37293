/** MCP calls of one revision with a token that is already there; on the wire, the official client's. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Revision } from '../../src/profiles/profile.ts'

/** What came of a call that the token's scopes may not be enough for. */
export interface Refused {
  /** How the client was told that it needs more. */
  readonly told?: 'challenge' | 'tool-result'
  readonly error?: string | undefined
  /** The scopes to ask for. */
  readonly scopes: readonly string[]
  /** What the tool said. */
  readonly text: string
}

/** The names of the tools. */
export async function listTools(
  url: string,
  revision: Revision,
  accessToken: string | undefined,
): Promise<string[]> {
  return use({ url, revision, accessToken }, async (client) => {
    const { tools } = await client.listTools()
    return tools.map(({ name }) => name)
  })
}

/** Writes a note, or is told what is missing. */
export async function addNote(
  url: string,
  revision: Revision,
  accessToken: string | undefined,
): Promise<Refused> {
  const answers: Response[] = []
  const result = await use({ url, revision, accessToken, answers }, async (client) =>
    client
      .callTool({ name: 'add_note', arguments: { title: 'Hello', text: 'World' } })
      .catch(() => undefined),
  )
  const header = answers.find(({ status }) => status === 403)?.headers.get('www-authenticate')
  if (header) return toRefused('challenge', header)
  const text = JSON.stringify(result?.content ?? [])
  const meta: unknown = result?._meta?.['mcp/www_authenticate']
  return Array.isArray(meta) ? toRefused('tool-result', meta.join(' ')) : { text, scopes: [] }
}

function toRefused(told: 'challenge' | 'tool-result', challenge: string): Refused {
  const read = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1]
  return { told, error: read('error'), scopes: read('scope')?.split(' ') ?? [], text: '' }
}

interface Connection {
  readonly url: string
  readonly revision: Revision
  readonly accessToken: string | undefined
  readonly answers?: Response[]
}

async function use<Result>(
  { url, revision, accessToken, answers }: Connection,
  act: (client: Client) => Promise<Result>,
): Promise<Result> {
  const isCurrent = revision === '2026-07-28'
  const client = new Client(
    { name: 'played', version: '1.0.0' },
    isCurrent
      ? { versionNegotiation: { mode: { pin: revision } } }
      : { supportedProtocolVersions: [revision] },
  )
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${accessToken}` } },
    fetch: async (input, init) => {
      const answer = await fetch(input, init)
      answers?.push(answer)
      return answer
    },
  })
  try {
    await client.connect(transport)
    return await act(client)
  } finally {
    await client.close()
  }
}
