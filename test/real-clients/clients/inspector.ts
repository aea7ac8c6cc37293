/** The MCP Inspector's command line, on SDK 2.x. */
import { findBin, type RealClient } from '../client.ts'
import type { Stage } from '../stage.ts'

function inspect({ run, url }: Stage, args: string[]): Promise<string> {
  const target = ['--cli', '--server-url', url, '--transport', 'http', '--format', 'json']
  return run(findBin('mcp-inspector'), [...target, ...args], {
    MCP_INSPECTOR_SECRET_STORE: 'file',
    MCP_AUTO_OPEN_ENABLED: 'true',
  })
}

export const client: RealClient = {
  id: 'inspector',
  name: '@modelcontextprotocol/inspector',
  login: async (stage) => {
    await inspect(stage, ['--method', 'tools/list'])
  },
  useTools: async (stage, { title, text }) => {
    const tools = await inspect(stage, ['--stored-auth-only', '--method', 'tools/list'])
    const call = ['--stored-auth-only', '--method', 'tools/call', '--tool-name', 'add_note']
    return tools + (await inspect(stage, [...call, '--tool-arg', `title=${title}`, `text=${text}`]))
  },
}
