/**
 * HTTP+SSE and Streamable HTTP, each in front of the other and of itself, with the official clients and
 * servers of SDK 1 and OAuth in front (N2, X10).
 */
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import {
  type OAuthClientProvider,
  UnauthorizedError,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, it } from 'vitest'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { type OldServer, startOldServer } from '../helpers/old-server.ts'
import { type SessionServer, startSessionServer } from '../helpers/session-server.ts'
import { verifies, verifiesThat } from '../verifies.ts'

/** Closed after each test, the last one opened first. */
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** An old server behind Gatehouse: both transports at `/mcp/sse`, as the notion deployment has it, and `/mcp`. */
async function startOld(paths = { path: '/mcp', ssePath: '/mcp/sse' }) {
  const server = await startOldServer()
  const live = await startLive({
    backends: [{ name: 'Old', to: server.url, transport: 'sse', identity: 'headers', ...paths }],
  })
  open.push(server, live)
  return { server, live }
}

/** A server of today behind Gatehouse, for clients of both transports. */
async function startNew() {
  const server = await startSessionServer()
  const live = await startLive({
    backends: [{ name: 'New', to: server.url, ssePath: '/mcp/sse', identity: 'headers' }],
  })
  open.push(server, live)
  return { server, live }
}

type Transport = SSEClientTransport | StreamableHTTPClientTransport

/** How a client of SDK 1 is told to connect. */
type Dial = (authProvider: OAuthClientProvider) => Transport

const dialOld =
  (live: Live, path = '/mcp/sse'): Dial =>
  (authProvider) =>
    new SSEClientTransport(new URL(live.issuer + path), { authProvider })

const dialNew =
  (live: Live, path = '/mcp'): Dial =>
  (authProvider) =>
    new StreamableHTTPClientTransport(new URL(live.issuer + path), { authProvider })

/** Signs in through the browser, as the client leads the person there, and connects. */
async function connect(live: Live, dial: Dial, provider = createProvider()) {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } })
  const heard: unknown[] = []
  let tell = () => {}
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    heard.push(params.data)
    tell()
  })
  client.setRequestHandler(ElicitRequestSchema, () => ({
    action: 'accept',
    content: { name: 'Ada' },
  }))
  const first = dial(provider)
  await expect(client.connect(first)).rejects.toThrow(UnauthorizedError)
  if (!provider.opened) throw new Error('The client opened no browser')
  const back = await approve(live.browser(), provider.opened)
  await first.finishAuth(back.url.searchParams.get('code') ?? '')
  await client.close()
  const transport = dial(provider)
  await client.connect(transport)
  open.push(client)
  const hears = async (words: string) => {
    while (!heard.includes(words))
      await new Promise<void>((resolve) => {
        tell = resolve
      })
  }
  return { client, transport, provider, hears }
}

function createProvider(): OAuthClientProvider & { opened?: URL; authorization(): string } {
  const saved = new Map<string, unknown>()
  return {
    redirectUrl: 'http://localhost:33333/callback',
    clientMetadata: {
      client_name: 'Official client',
      redirect_uris: ['http://localhost:33333/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => saved.get('client') as never,
    saveClientInformation: (client) => void saved.set('client', client),
    tokens: () => saved.get('tokens') as never,
    saveTokens: (tokens) => void saved.set('tokens', tokens),
    redirectToAuthorization(url) {
      this.opened = url
    },
    saveCodeVerifier: (verifier) => void saved.set('verifier', verifier),
    codeVerifier: () => saved.get('verifier') as string,
    authorization: () => (saved.get('tokens') as { access_token: string }).access_token,
  }
}

async function echo(client: Client, words: string): Promise<void> {
  const { content } = await client.callTool({ name: 'echo', arguments: { text: words } })
  expect(content).toEqual([{ type: 'text', text: words }])
}

/** Everything that an old server can do, through whatever lies between. */
async function useOldServer(
  client: Client,
  server: OldServer,
  hears: (words: string) => Promise<void>,
) {
  await Promise.all(['one', 'two', 'three'].map((words) => echo(client, words)))
  const progress: number[] = []
  const { content } = await client.callTool({ name: 'ask' }, undefined, {
    onprogress: (each) => void progress.push(each.progress),
  })
  expect(content).toEqual([{ type: 'text', text: 'Hello Ada' }])
  expect(progress).toEqual([1, 2, 3])
  for (const mcp of server.streams.values())
    await mcp.sendLoggingMessage({ level: 'info', data: 'news' })
  await hears('news')
}

function expectNoTokens(seen: OldServer['seen'] | SessionServer['seen']): void {
  expect(seen.length).toBeGreaterThan(2)
  for (const { headers } of seen) {
    expect(headers.authorization).toBeUndefined()
    expect(headers['x-forwarded-user']).toMatch(/./)
  }
}

describe('an old client', () => {
  verifies('N2', async () => {
    const { server, live } = await startOld()
    const { client, hears } = await connect(live, dialOld(live))
    await useOldServer(client, server, hears)
    expectNoTokens(server.seen)
  })

  verifiesThat('X10', 'a client of 2024-11-05 in front of a server of today', async () => {
    const { server, live } = await startNew()
    const { client, hears } = await connect(live, dialOld(live))
    await Promise.all(['one', 'two', 'three'].map((words) => echo(client, words)))
    const [session] = server.sessions.values()
    await session?.mcp.sendLoggingMessage({ level: 'info', data: 'news' })
    await hears('news')
    expectNoTokens(server.seen)
    await client.close()
    await expect.poll(() => server.sessions.size).toBe(0)
  })
})

describe('a client of today', () => {
  verifiesThat('N2', 'a client of Streamable HTTP in front of an old server', async () => {
    const { server, live } = await startOld()
    const { client, transport, hears } = await connect(live, dialNew(live))
    await useOldServer(client, server, hears)
    expectNoTokens(server.seen)
    if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession()
    await expect.poll(() => server.streams.size).toBe(0)
  })

  it('of SDK 2 falls back to initialize in front of an old server (mcp-spec T28)', async () => {
    const { live } = await startOld()
    const { provider } = await connect(live, dialNew(live))
    const client = new ModernClient(
      { name: 'test', version: '2' },
      { versionNegotiation: { mode: 'auto' } },
    )
    const headers = { authorization: `Bearer ${provider.authorization()}` }
    await client.connect(new ModernTransport(new URL(live.url), { requestInit: { headers } }))
    open.push(client)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
  })

  it('that knows both tries Streamable HTTP first, and falls back to HTTP+SSE at the old path', async () => {
    const { live } = await startOld()
    const { provider } = await connect(live, dialOld(live))
    const url = new URL(`${live.issuer}/mcp/sse`)
    const client = new Client({ name: 'both', version: '1' })
    await expect(
      client.connect(new StreamableHTTPClientTransport(url, { authProvider: provider })),
    ).rejects.toMatchObject({ code: 405 })
    await client.connect(new SSEClientTransport(url, { authProvider: provider }))
    open.push(client)
    await echo(client, 'Hello')
  })
})

describe('one path for both transports, as ChatGPT is given it', () => {
  for (const [name, dial] of [
    ['HTTP+SSE', dialOld],
    ['Streamable HTTP', dialNew],
  ] as const)
    verifiesThat('N2', `HOST/mcp/sse by ${name}`, async () => {
      const { server, live } = await startOld({ path: '/mcp/sse', ssePath: '/mcp/sse' })
      const { client, hears } = await connect(live, dial(live, '/mcp/sse'))
      await useOldServer(client, server, hears)
    })
})

describe('a stop', () => {
  it('ends bridged sessions at once, at both ends (HA-10)', async () => {
    const { server, live } = await startOld()
    const { client } = await connect(live, dialNew(live))
    await echo(client, 'Hello')
    expect(server.streams.size).toBe(1)
    const started = performance.now()
    open.splice(open.indexOf(live), 1)
    await live.close()
    expect(performance.now() - started).toBeLessThan(2000)
    await expect.poll(() => server.streams.size).toBe(0)
  })
})

describe('one token', () => {
  it('is for both paths, which have metadata of their own', async () => {
    const { live } = await startNew()
    for (const path of ['/mcp', '/mcp/sse']) {
      const url = `${live.issuer}/.well-known/oauth-protected-resource${path}`
      const metadata: unknown = await (await fetch(url)).json()
      // Strict clients compare it with the URL that they connect to.
      expect(metadata).toMatchObject({ resource: live.issuer + path })
    }
    const { provider } = await connect(live, dialOld(live))
    expect(provider.opened?.searchParams.get('resource')).toBe(`${live.issuer}/mcp/sse`)
    const client = new Client({ name: 'other', version: '1' })
    await client.connect(
      new StreamableHTTPClientTransport(new URL(live.url), { authProvider: provider }),
    )
    open.push(client)
    await echo(client, 'Hello')
  })
})
