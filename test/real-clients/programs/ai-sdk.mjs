/** An application on the Vercel AI SDK: `ai-sdk.mjs login URL` or `ai-sdk.mjs use URL NOTE`. */
import { auth, createMCPClient } from '@ai-sdk/mcp'
import { createProvider, listenForCallback } from './person.mjs'

const [action, serverUrl, note] = process.argv.slice(2)

async function logIn() {
  const callback = await listenForCallback()
  const provider = createProvider('AI SDK application', callback.url)
  await auth(provider, { serverUrl })
  const answer = await callback.wait()
  await auth(provider, {
    serverUrl,
    authorizationCode: answer.get('code'),
    callbackState: answer.get('state'),
    callbackIssuer: answer.get('iss'),
  })
}

async function use() {
  const authProvider = createProvider('AI SDK application', 'http://127.0.0.1/callback')
  const client = await createMCPClient({
    transport: { type: 'http', url: serverUrl, authProvider },
  })
  console.log(JSON.stringify(await client.listTools()))
  console.log(
    JSON.stringify(await client.callTool({ name: 'add_note', arguments: JSON.parse(note) })),
  )
  await client.close()
}

await (action === 'login' ? logIn() : use())
