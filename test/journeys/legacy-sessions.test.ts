/**
 * Sessions of the revisions up to 2025-11-25 through a live Gatehouse: official client and server of
 * SDK 1, with everything a stateful server does.
 */
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startEverythingServer } from '../helpers/everything-server.ts'
import { type Live, startLive } from '../helpers/live.ts'
import { type SessionServer, startSessionServer } from '../helpers/session-server.ts'
import { verifiesThat } from '../verifies.ts'

let backend: SessionServer
let live: Live
/** Closed after each test, the last one opened first. */
const open: { close(): Promise<void> }[] = []

beforeEach(async () => {
  backend = await startSessionServer()
  live = await startLive({ backendUrl: backend.url })
  open.push(backend, live)
})
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

async function toHeaders(sub: string, client_id = 'client-1'): Promise<Record<string, string>> {
  const claims = { sub, client_id, aud: live.url, scope: 'notes:read', gid: `grant-of-${sub}` }
  const token = await live.gatehouse.context.accessTokens.mint(claims, 3600)
  return { authorization: `Bearer ${token}` }
}

/** A connected client, what it received without asking, and when its standing stream is open. */
async function connect(user = 'ada') {
  const authorization = await toHeaders(user)
  const streams = createQueue<Headers>()
  const transport = new StreamableHTTPClientTransport(new URL(live.url), {
    requestInit: { headers: authorization },
    reconnectionOptions: {
      initialReconnectionDelay: 10,
      maxReconnectionDelay: 100,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 5,
    },
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (init?.method === 'GET') streams.push(new Headers(init.headers))
      return response
    },
  })
  const client = new Client({ name: 'test', version: '1' })
  const heard = createQueue<unknown>()
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    heard.push(params.data)
  })
  await client.connect(transport)
  open.push(client)
  return { client, transport, authorization, streams, heard, session: transport.sessionId ?? '' }
}

/** What comes, in order, to whoever asks, whoever is first. */
function createQueue<Item>() {
  const items: Item[] = []
  const asking: ((item: Item) => void)[] = []
  return {
    push(item: Item) {
      const next = asking.shift()
      if (next) next(item)
      else items.push(item)
    },
    async next(): Promise<Item> {
      const [item] = items.splice(0, 1)
      return item ?? new Promise((resolve) => asking.push(resolve))
    },
  }
}

async function callTool(client: Client, name: string, text: string): Promise<unknown> {
  return (await client.callTool({ name, arguments: { text } })).content
}

const toContent = (text: string) => [{ type: 'text', text }]

function say(data: string): Promise<void> {
  const [session] = backend.sessions.values()
  if (!session) throw new Error('Nobody has a session')
  return session.mcp.sendLoggingMessage({ level: 'info', data })
}

/** A message by hand, with these fields. */
function post(headers: Record<string, string>, message: object, url = live.url): Promise<Response> {
  const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
  return fetch(url, { method: 'POST', headers: { ...json, ...headers }, body })
}

const tools = { method: 'tools/list' }

describe('a session through the gate', () => {
  verifiesThat('X10', 'a stateful server of 2025-11-25, from initialize to DELETE', async () => {
    const { client, transport, authorization, session, streams } = await connect()
    await streams.next()
    expect(session).toMatch(/^[!-~]+$/)
    expect([...backend.sessions.keys()]).not.toContain(session)
    expect((await client.listTools()).tools).toHaveLength(3)
    expect(await callTool(client, 'echo', 'Hello')).toEqual(toContent('Hello'))

    await transport.terminateSession()
    expect(backend.sessions.size).toBe(0)
    const after = await post({ ...authorization, 'mcp-session-id': session }, tools)
    expect(after.status).toBe(404)
    expect(await after.text()).toContain('Session not found')
  })

  it('hears the server at once, on a stream that stays open (ST-04)', async () => {
    const { streams, heard } = await connect()
    await streams.next()
    for (const words of ['one', 'two', 'three']) {
      await say(words)
      expect(await heard.next()).toBe(words)
    }
    expect(backend.seen.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })

  it('resumes by Last-Event-ID after the stream was cut, missing nothing (RS-21)', async () => {
    const { streams, heard } = await connect()
    expect((await streams.next()).get('last-event-id')).toBeNull()
    await say('before')
    expect(await heard.next()).toBe('before')
    const [session] = backend.sessions.values()
    session?.transport.closeStandaloneSSEStream()
    await say('between')
    const lastEventId = (await streams.next()).get('last-event-id')
    expect(lastEventId).not.toBeNull()
    expect(backend.seen.at(-1)?.headers['last-event-id']).toBe(lastEventId)
    expect(await heard.next()).toBe('between')
    await say('after')
    expect(await heard.next()).toBe('after')
  })

  it('is nobody else’s: another user or client gets 404, and nothing arrives (RS-17, ST-08)', async () => {
    const { client, session, streams } = await connect('ada')
    await streams.next()
    const arrived = backend.seen.length
    const strangers = [await toHeaders('bob'), await toHeaders('ada', 'client-2')]
    const unwrapped = [...backend.sessions.keys()][0] ?? ''
    for (const stranger of strangers)
      for (const id of [session, unwrapped]) {
        const headers = { ...stranger, 'mcp-session-id': id, accept: 'text/event-stream' }
        expect((await post(headers, tools)).status).toBe(404)
        expect((await fetch(live.url, { headers })).status).toBe(404)
        const resumed = { headers: { ...headers, 'last-event-id': '1' } }
        expect((await fetch(live.url, resumed)).status).toBe(404)
        expect((await fetch(live.url, { method: 'DELETE', headers })).status).toBe(404)
      }
    expect(backend.seen).toHaveLength(arrived)
    expect(await callTool(client, 'echo', 'Still mine')).toEqual(toContent('Still mine'))
  })

  it('gets its own answers, while others use the same JSON-RPC ids (RS-18)', async () => {
    const users = await Promise.all(['ada', 'bob', 'cyd', 'dan'].map((user) => connect(user)))
    const calls = users.flatMap(({ client }, user) =>
      Array.from({ length: 10 }, (_, call) => ({ client, text: `${user}/${call}` })),
    )
    backend.expectMeeting(calls.length)
    await Promise.all(
      calls.map(async ({ client, text }) => {
        expect(await callTool(client, 'meet', text)).toEqual(toContent(text))
      }),
    )
    const meetings = backend.seen.filter(({ body }) => body.includes('"meet"'))
    const ids = meetings.map(({ body }) => (JSON.parse(body) as { id: unknown }).id)
    expect(new Set(ids).size, 'each id was used by all four').toBe(10)
  })
})

describe('a client that gives up', () => {
  it('cancels at the server by its message (PX-16)', async () => {
    const { client } = await connect()
    const waiting = backend.nextWait()
    const abort = new AbortController()
    const call = client.callTool({ name: 'wait' }, undefined, { signal: abort.signal })
    const refused = expect(call).rejects.toThrow()
    const { ended } = await waiting
    abort.abort()
    expect(await ended).toBe('cancelled')
    await refused
  })

  it('hangs up at the server by hanging up (PX-16)', async () => {
    const { client, transport } = await connect()
    const waiting = backend.nextWait()
    const refused = expect(client.callTool({ name: 'wait' })).rejects.toThrow()
    const { ended } = await waiting
    await transport.close()
    expect(await ended).toBe('hung up')
    await refused
  })
})

describe('a client of 2026-07-28', () => {
  it('has its fields and bytes passed on untouched, and the answer of an older server back (T17, T28)', async () => {
    const fields = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      'mcp-param-region': '=?base64?SGVsbG8=?=',
    }
    const message = { method: 'tools/call', params: { name: 'echo', arguments: { text: 'ü' } } }
    const gated = await post({ ...(await toHeaders('ada')), ...fields }, message)
    const direct = await post(fields, message, backend.url)
    const [throughGate, atOnce] = backend.seen
    expect(throughGate?.headers).toMatchObject(fields)
    expect(throughGate?.body).toBe(atOnce?.body)
    expect([gated.status, await gated.text()]).toEqual([direct.status, await direct.text()])
  })

  verifiesThat('X10', 'a client of 2026-07-28 falls back at an older server', async () => {
    const { version, tools: names } = await negotiate()
    expect(version).toBe('2025-11-25')
    expect(names).toContain('echo')
    const discover = backend.seen[0]
    expect(discover?.headers).toMatchObject({ 'mcp-method': 'server/discover' })
  })

  verifiesThat('X10', 'a client of 2026-07-28 speaks it with a server that does', async () => {
    const everything = await startEverythingServer()
    await live.close()
    open.splice(open.indexOf(live), 1)
    live = await startLive({ backendUrl: everything.url })
    open.push(everything, live)
    const { version, tools: names } = await negotiate()
    expect(version).toBe('2026-07-28')
    expect(names).toContain('test_simple_text')
  })
})

/** What the official client 2.4 agrees on when it is free to choose. */
async function negotiate(): Promise<{ version: string | undefined; tools: string[] }> {
  const client = new ModernClient(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: 'auto' } },
  )
  const requestInit = { headers: await toHeaders('ada') }
  await client.connect(new ModernTransport(new URL(live.url), { requestInit }))
  const listed = (await client.listTools()).tools.map(({ name }) => name)
  const version = client.getNegotiatedProtocolVersion()
  await client.close()
  return { version, tools: listed }
}
