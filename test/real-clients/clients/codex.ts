/** OpenAI's Codex, whose OAuth is rmcp's (Rust): logs in by command, its tools are called through its app server. */
import { join } from 'node:path'
import type { Note, RealClient } from '../client.ts'
import { modules } from '../install.ts'
import type { Stage } from '../stage.ts'

const program = '@openai/codex-linux-x64'
const codex = join(modules, program, 'vendor', 'x86_64-unknown-linux-musl', 'bin', 'codex')

const clientInfo = { name: 'gatehouse-tests', title: null, version: '1' }
const capabilities = { experimentalApi: true, requestAttestation: false }

/** Through the app server, which speaks JSON-RPC in lines and calls a tool for a thread only. */
async function useTools(stage: Stage, note: Note): Promise<string> {
  const server = stage.start(codex, ['app-server'])
  const ask = (id: number, method: string, params: object): Promise<string> => {
    server.write(`${JSON.stringify({ id, method, params })}\n`)
    return server.until(new RegExp(`^\\{(?:"error":.*)?"id":${id}[,}].*$`, 'm'))
  }
  await ask(1, 'initialize', { clientInfo, capabilities })
  await ask(2, 'mcpServerStatus/list', {})
  const started = await ask(3, 'thread/start', { ephemeral: true })
  const threadId = /"thread":\{"id":"([^"]+)"/.exec(started)?.[1]
  const call = { threadId, server: 'notes', tool: 'add_note', arguments: note }
  const answers = await ask(4, 'mcpServer/tool/call', call)
  await server.stop()
  return answers
}

export const client: RealClient = {
  id: 'codex',
  name: '@openai/codex',
  program,
  document: 'https://chatgpt.com/oauth/codex/client.json',
  login: async (stage) => {
    await stage.run(codex, ['mcp', 'add', 'notes', '--url', stage.url])
  },
  useTools,
}
