/** ChatGPT as it comes to a connector: its redirect URI, its registration, the official client beneath. */
import {
  Client,
  type OAuthDiscoveryState,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { expect } from 'vitest'
import { chatgpt as chatgptProfile } from '../../src/profiles/clients/chatgpt.ts'
import type { Page } from '../helpers/browser.ts'
import { type Memory, memoryProvider } from '../helpers/memory-provider.ts'

const { uris = [] } = chatgptProfile.redirects

/** Where ChatGPT has its codes sent. */
export const [redirectUri = ''] = uris

/** The body that it registers with where secrets are listed (2026-09-28). */
const registration = {
  ...chatgptProfile.identification.registration,
  redirect_uris: [redirectUri],
  token_endpoint_auth_method: 'client_secret_post',
}

/** Its memory; with `typed` the client that somebody typed in, so that it does not register. */
export function chatGpt(typed?: { client_id: string; client_secret: string; issuer: string }) {
  const provider = memoryProvider()
  if (typed) provider.saved.set('client', typed)
  return Object.assign(provider, {
    redirectUrl: redirectUri,
    clientMetadata: registration,
    saveDiscoveryState: (state: OAuthDiscoveryState) => void provider.saved.set('discovery', state),
    discoveryState: () => provider.saved.get('discovery') as OAuthDiscoveryState | undefined,
  })
}

type ChatGpt = ReturnType<typeof chatGpt>

/** Shows the person the authorization request and returns where the browser ends up. */
export type Visit = (authorizationUrl: URL) => Promise<Page>

/** Connects to an MCP URL as a person does who presses Connect, and returns the connected client. */
export async function connect(url: string, provider: ChatGpt, visit: Visit): Promise<Client> {
  const first = open(url, provider)
  await expect(first.client.connect(first.transport)).rejects.toThrow(UnauthorizedError)
  await first.transport.finishAuth(await answer(provider, visit))
  return reconnect(url, provider)
}

/** Connects with the tokens that it has, or with what it can refresh. */
export async function reconnect(url: string, provider: ChatGpt): Promise<Client> {
  const { client, transport } = open(url, provider)
  await client.connect(transport)
  return client
}

function open(url: string, provider: ChatGpt) {
  return {
    client: new Client({ name: 'openai-mcp', version: '1.0.0' }),
    transport: new StreamableHTTPClientTransport(new URL(url), { authProvider: provider }),
  }
}

/** Lets a connected client have what it asked the person for. */
export async function finish(client: Client, provider: ChatGpt, visit: Visit): Promise<void> {
  const { transport } = client
  if (!(transport instanceof StreamableHTTPClientTransport)) throw new Error('Not connected')
  await transport.finishAuth(await answer(provider, visit))
}

/** What the redirect back to ChatGPT says. */
async function answer(provider: Memory, visit: Visit): Promise<URLSearchParams> {
  if (!provider.opened) throw new Error('The client opened no browser')
  const { url, status, text } = await visit(provider.opened)
  expect(url.href, `${status} ${text}`).toContain(`${redirectUri}?`)
  return url.searchParams
}

/** The text of a tool's answer. */
export async function callTool(
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args })
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
