/**
 * Official servers over standard input and output, each as its SDK makes it, behind a live Gatehouse, and
 * official clients of every revision in front of it.
 */
import { fileURLToPath } from 'node:url'
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, it } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import { type Live, startLive } from '../helpers/live.ts'
import { startSessionServer } from '../helpers/session-server.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

const toPath = (name: string) => fileURLToPath(new URL(`../helpers/stdio/${name}`, import.meta.url))
const sdk1: BackendOptions = { command: process.execPath, args: [toPath('sdk-1.ts')] }
const sdk2: BackendOptions = { command: process.execPath, args: [toPath('sdk-2.ts')] }

async function start(...backends: BackendOptions[]): Promise<Live> {
  const live = await startLive({ backends })
  open.push(live)
  return live
}

async function toInit(
  live: Live,
  aud = live.url,
  sub = 'ada',
): Promise<{ requestInit: RequestInit }> {
  const claims = { sub, client_id: 'client-1', aud, scope: 'notes:read', gid: `grant-of-${sub}` }
  const token = await live.gatehouse.context.accessTokens.mint(claims, 3600)
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } }
}

/** What somebody hears and says at the other end of a session. */
function createClient() {
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { sampling: {} } })
  const heard: unknown[] = []
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    heard.push(params.data)
  })
  client.setRequestHandler(CreateMessageRequestSchema, async () => ({
    model: 'none',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'Tea' },
  }))
  open.push(client)
  return { client, heard }
}

const greet = (name: string) => ({ name: 'greet', arguments: { name } })
const textOf = ({ content }: Awaited<ReturnType<Client['callTool']>>) =>
  (content as { text: string }[])[0]?.text

async function useSession(client: Client, heard: unknown[]): Promise<void> {
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['greet', 'ask'])
  expect(textOf(await client.callTool(greet('Ada')))).toBe('Hello Ada, call 1')
  expect(textOf(await client.callTool(greet('Eve')))).toBe('Hello Eve, call 2')
  expect(textOf(await client.callTool({ name: 'ask' }))).toBe('Tea')
  await expect.poll(() => heard).toEqual(['greeting Ada', 'greeting Eve'])
}

describe('a server of SDK 1 over standard input and output', () => {
  verifiesThat('X10', 'stdio, bridged to Streamable HTTP', async () => {
    const live = await start(sdk1)
    const { client, heard } = createClient()
    const transport = new StreamableHTTPClientTransport(new URL(live.url), await toInit(live))
    await client.connect(transport)
    await useSession(client, heard)
    const { metrics } = live.gatehouse.context
    const running = async () =>
      /^gatehouse_programs_running (\d+)$/m.exec((await metrics.expose()).body)?.[1]
    expect(await running()).toBe('1')
    await transport.terminateSession()
    await expect.poll(running).toBe('0')
    expect((await metrics.expose()).body).toContain(
      'gatehouse_programs_total{backend="mcp",outcome="stopped"} 1',
    )
  })

  verifiesThat('X10', 'stdio, bridged to HTTP+SSE of 2024-11-05', async () => {
    const live = await start({ ...sdk1, ssePath: '/mcp/sse' })
    const { client, heard } = createClient()
    const url = new URL(`${live.issuer}/mcp/sse`)
    await client.connect(new SSEClientTransport(url, await toInit(live)))
    await useSession(client, heard)
  })

  it('is used by many at a time, each alone with theirs', async () => {
    const live = await start(sdk1)
    const people = ['ada', 'bob', 'eve', 'joe']
    const texts = await Promise.all(
      people.map(async (sub) => {
        const { client } = createClient()
        const init = await toInit(live, live.url, sub)
        await client.connect(new StreamableHTTPClientTransport(new URL(live.url), init))
        const calls = await Promise.all([1, 2, 3].map(() => client.callTool(greet(sub))))
        return new Set(calls.map(textOf))
      }),
    )
    expect(texts).toEqual(
      people.map((sub) => new Set([1, 2, 3].map((n) => `Hello ${sub}, call ${n}`))),
    )
  })

  it('makes a client of both eras fall back to initialize (mcp-spec T28)', async () => {
    const live = await start(sdk1)
    const client = new ModernClient(
      { name: 'test', version: '2' },
      { versionNegotiation: { mode: 'auto' } },
    )
    open.push(client)
    await client.connect(new ModernTransport(new URL(live.url), await toInit(live)))
    expect(JSON.stringify(await client.callTool(greet('Ada')))).toContain('Hello Ada, call 1')
  })
})

describe('a server of SDK 2 over standard input and output', () => {
  verifiesThat('X10', 'stdio, without sessions as in 2026-07-28', async () => {
    const live = await start(sdk2)
    const options = { versionNegotiation: { mode: 'auto' as const } }
    const clients = [1, 2].map(() => new ModernClient({ name: 'test', version: '2' }, options))
    open.push(...clients)
    const texts: string[] = []
    for (const client of clients) {
      await client.connect(new ModernTransport(new URL(live.url), await toInit(live)))
      texts.push(JSON.stringify(await client.callTool(greet('Ada'))))
    }
    expect(texts[0], 'both share a program').toBe(texts[1])
    expect(
      live.log.lines.filter(({ message }) => message === 'A program was started'),
    ).toHaveLength(1)
  })

  it('serves clients with sessions as well', async () => {
    const live = await start(sdk2)
    const { client } = createClient()
    await client.connect(new StreamableHTTPClientTransport(new URL(live.url), await toInit(live)))
    expect(textOf(await client.callTool(greet('Ada')))).toContain('Hello Ada')
  })
})

describe('several servers behind one issuer', () => {
  verifies('X9', async () => {
    const listening = await startSessionServer()
    open.push(listening)
    const live = await start(
      { id: 'one', path: '/one', to: listening.url },
      {
        id: 'two',
        path: '/two',
        ...sdk1,
        policy: { rules: [{ tool: 'greet', scopes: ['notes:write'] }] },
      },
    )
    const read = async (path: string) =>
      (await (
        await fetch(`${live.issuer}/.well-known/oauth-protected-resource${path}`)
      ).json()) as {
        resource: string
      }
    for (const path of ['/one', '/two']) {
      expect((await read(path)).resource).toBe(live.issuer + path)
      const { client } = createClient()
      const url = new URL(live.issuer + path)
      await client.connect(new StreamableHTTPClientTransport(url, await toInit(live, url.href)))
      expect((await client.listTools()).tools.length).toBeGreaterThan(0)
    }
    const foreign = await toInit(live, `${live.issuer}/one`)
    const answer = await fetch(`${live.issuer}/two`, { method: 'POST', ...foreign })
    expect(answer.status, 'a token is for one of them').toBe(401)
    expect((await fetch(`${live.issuer}/.well-known/oauth-protected-resource`)).status).toBe(404)
  })
})

describe('a stop', () => {
  it('ends sessions with programs at once, and the programs (HA-10)', async () => {
    const live = await startLive({ backends: [sdk1] })
    const { client } = createClient()
    await client.connect(new StreamableHTTPClientTransport(new URL(live.url), await toInit(live)))
    const started = live.log.lines.find(({ message }) => message === 'A program was started')
    const pid = Number((started?.fields as { pid?: number } | undefined)?.pid)
    const before = performance.now()
    await live.close()
    expect(performance.now() - before).toBeLessThan(3000)
    expect(() => process.kill(pid, 0)).toThrow()
  })
})
