/**
 * A remote connector: what it does depends on who calls, which Gatehouse tells it in a signed assertion.
 *
 * It verifies the assertion with Gatehouse's published keys and trusts nothing else. Start it with
 * `node examples/remote-mcp/server.ts 3000 https://mcp.example.com`.
 */
import { McpServer } from '@modelcontextprotocol/server'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type Backend, readPort, serveMcp, toText } from '../serve-mcp.ts'

/** Starts the connector behind the Gatehouse at `issuer`, whose endpoints are below `/oauth2`. */
export async function startConnector(port: number, issuer: string): Promise<Backend> {
  const keys = createRemoteJWKSet(new URL('/oauth2/jwks', issuer))
  const connector = await serveMcp(() => {
    const { origin } = new URL(connector.url)
    return createConnector({ issuer, audience: origin, keys })
  }, port)
  return connector
}

interface Trust {
  readonly issuer: string
  /** Our own origin: an assertion for another backend is none for us. */
  readonly audience: string
  readonly keys: ReturnType<typeof createRemoteJWKSet>
}

function createConnector({ issuer, audience, keys }: Trust): McpServer {
  const server = new McpServer({ name: 'connector', version: '1.0.0' })
  const annotations = { readOnlyHint: true, openWorldHint: false }
  server.registerTool(
    'whoami',
    { description: 'Who calls, through what, and how far that goes', annotations },
    async ({ http }) => {
      const assertion = http?.req?.headers.get('x-gatehouse-assertion') ?? ''
      const expected = { issuer, audience, typ: 'gatehouse-assertion+jwt' }
      const { payload } = await jwtVerify(assertion, keys, expected)
      const { sub, client_id: client, scope } = payload
      return toText(JSON.stringify({ sub, client, scope }))
    },
  )
  server.registerTool(
    'list_tasks',
    { description: 'The tasks of the connector', annotations },
    async () => toText(JSON.stringify(['Write the report', 'Read the report'])),
  )
  return server
}

if (import.meta.main) {
  const issuer = process.argv[3] ?? 'http://localhost:8787'
  console.log(`Connector at ${(await startConnector(readPort(3000), issuer)).url}`)
}
