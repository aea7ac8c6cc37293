/** The MCP part of Gemini CLI without its screen: `gemini-cli.mjs login URL` or `gemini-cli.mjs use URL NOTE`. */
import { connectToMcpServer, MCPOAuthProvider } from '@google/gemini-cli-core'

const [action, url, note] = process.argv.slice(2)
const server = { httpUrl: url, oauth: { enabled: true } }

async function use() {
  const workspace = { getDirectories: () => [], onDirectoriesChanged: () => () => undefined }
  const settings = { emitMcpDiagnostic: (...words) => console.error(...words) }
  const client = await connectToMcpServer('0.61.0', 'notes', server, false, workspace, settings)
  console.log(JSON.stringify(await client.listTools()))
  console.log(
    JSON.stringify(await client.callTool({ name: 'add_note', arguments: JSON.parse(note) })),
  )
  await client.close()
}

await (action === 'login' ? new MCPOAuthProvider().authenticate('notes', server.oauth, url) : use())
// Its modules keep timers of their own.
process.exit(0)
