/** mcp-remote, through which clients without OAuth reach remote servers: it speaks MCP on its standard streams. */
import { findBin, type Note, type RealClient } from '../client.ts'
import type { Stage } from '../stage.ts'

/** What a client without OAuth does with it. */
async function useTools(stage: Stage, note: Note): Promise<string> {
  const proxy = stage.start(findBin('mcp-remote'), [stage.url])
  const clientInfo = { name: 'gatehouse-tests', version: '1' }
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const send = (message: object) =>
    proxy.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  send({ id: 1, method: 'initialize', params: initialize })
  await proxy.until(/"id":1\b.*\n/)
  send({ method: 'notifications/initialized' })
  send({ id: 2, method: 'tools/list' })
  await proxy.until(/"id":2\b.*\n/)
  send({ id: 3, method: 'tools/call', params: { name: 'add_note', arguments: note } })
  const answers = await proxy.until(/"id":3\b.*\n/)
  await proxy.stop()
  return answers
}

export const client: RealClient = {
  id: 'mcp-remote',
  name: 'mcp-remote',
  stepsUp: true,
  login: async (stage) => {
    await stage.run(findBin('mcp-remote-client'), [stage.url])
  },
  useTools,
}
