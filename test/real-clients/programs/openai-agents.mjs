/** An application on the OpenAI Agents SDK: `openai-agents.mjs login URL` or `openai-agents.mjs use URL NOTE`. */
import { auth } from '@modelcontextprotocol/client'
import { MCPServerStreamableHttp } from '@openai/agents'
import { createProvider, listenForCallback } from './person.mjs'

const [action, url, note] = process.argv.slice(2)

function createServer(authProvider) {
  return new MCPServerStreamableHttp({ url, authProvider, errorFunction: null })
}

async function logIn() {
  const callback = await listenForCallback()
  const provider = createProvider('Agents SDK application', callback.url)
  await createServer(provider)
    .connect()
    .catch(() => undefined)
  const answer = await callback.wait()
  const authorizationCode = answer.get('code')
  await auth(provider, { serverUrl: url, authorizationCode, iss: answer.get('iss') })
}

async function use() {
  const server = createServer(createProvider('Agents SDK application', 'http://127.0.0.1/callback'))
  await server.connect()
  console.log(JSON.stringify(await server.listTools()))
  console.log(JSON.stringify(await server.callTool('add_note', JSON.parse(note))))
  await server.close()
}

await (action === 'login' ? logIn() : use())
