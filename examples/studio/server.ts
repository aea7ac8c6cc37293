/**
 * A Fastify server with an MCP endpoint and routes of its own, and Gatehouse as a plugin of it.
 *
 * Start it with `node examples/studio/server.ts 8787 .env`. In a project of your own the imports from `../../src`
 * are `mcp-gatehouse`, `mcp-gatehouse/config` and `mcp-gatehouse/fastify`.
 */
import { fileURLToPath } from 'node:url'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import Fastify from 'fastify'
import { z } from 'zod'
import { createGatehouse } from '../../src/index.ts'
import { loadOptions } from '../../src/operate/config/load-options.ts'
import { toGuard, toPlugin } from '../../src/platform/adapters/fastify.ts'
import { readPort, toText } from '../serve-mcp.ts'

/** Starts the studio with the variables of a file over those of `gatehouse.yaml`. */
async function startStudio(port: number, envFile: string): Promise<void> {
  const file = fileURLToPath(new URL('gatehouse.yaml', import.meta.url))
  const options = await loadOptions({ file, envFile })
  const gatehouse = await createGatehouse(options)
  const mcp = createMcpHandler(createStudio)
  const answer = toNodeHandler(mcp)

  const fastify = Fastify()
  await fastify.register(toPlugin(gatehouse))
  fastify.get('/', async () => ({ name: 'studio', mcp: '/mcp' }))
  fastify.all('/mcp', { onRequest: toGuard(gatehouse) }, (request, reply) => {
    reply.hijack()
    return answer(request.raw, reply.raw, request.body)
  })
  fastify.addHook('onClose', async () => {
    await mcp.close()
    await gatehouse.close()
    await options.store.close()
  })
  await fastify.listen({ host: '127.0.0.1', port })
  console.log(`Studio at ${options.issuer}/mcp`)
  process.once('SIGTERM', () => void fastify.close())
}

function createStudio(): McpServer {
  const server = new McpServer({ name: 'studio', version: '1.0.0' })
  server.registerTool(
    'count_words',
    { description: 'How many words a draft has', inputSchema: z.object({ draft: z.string() }) },
    async ({ draft }) => toText(String(draft.split(/\s+/).filter(Boolean).length)),
  )
  server.registerTool('whoami', { description: 'Who calls' }, async ({ http }) => {
    const { clientId, scopes } = http?.authInfo ?? {}
    return toText(JSON.stringify({ clientId, scopes }))
  })
  return server
}

await startStudio(readPort(8787), process.argv[3] ?? '.env')
