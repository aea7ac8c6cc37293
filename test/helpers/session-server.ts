/**
 * A server of the revisions with sessions, as the official SDK 1 builds them: an id for each session,
 * a standing GET stream, resumption by `Last-Event-ID`, DELETE. It keeps what reached it.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { z } from 'zod'
import { createEventStore } from './event-store.ts'
import { closeNow, listenOnLoopback } from './loopback.ts'

/** A request as it reached the server. */
export interface SeenRequest {
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** One session: its server and the transport it is connected to. */
export interface Session {
  readonly mcp: McpServer
  readonly transport: StreamableHTTPServerTransport
}

/** The session server, listening. */
export interface SessionServer {
  readonly url: string
  readonly seen: SeenRequest[]
  readonly sessions: Map<string, Session>
  /** How many calls of `meet` must have come before any is answered, last come first. */
  expectMeeting(calls: number): void
  /** Resolves when a call of `wait` has come, which nothing but the client ends. */
  nextWait(): Promise<WaitingCall>
  close(): Promise<void>
}

/** A call that is never answered. */
export interface WaitingCall {
  /** How the client ended it: by a message, or with the connection. */
  readonly ended: Promise<'cancelled' | 'hung up'>
}

/** Starts one on a free port. */
export async function startSessionServer(): Promise<SessionServer> {
  const seen: SeenRequest[] = []
  const sessions = new Map<string, Session>()
  const meeting = createMeeting()
  const waits = createWaits()
  const create = () => createMcp(meeting.join, waits.begin)
  const take = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await text(incoming)
    seen.push({ method: incoming.method ?? '', headers: incoming.headers, body })
    outgoing.on('close', () => {
      if (!outgoing.writableFinished && body.includes('"wait"')) waits.hangUp()
    })
    await answer({ incoming, outgoing, body }, sessions, create)
  }
  const server = createServer((incoming, outgoing) => void take(incoming, outgoing))
  const origin = await listenOnLoopback(server)
  return {
    url: `${origin}/mcp`,
    seen,
    sessions,
    expectMeeting: meeting.expect,
    nextWait: waits.next,
    close: async () => {
      await Promise.all([...sessions.values()].map(({ mcp }) => mcp.close()))
      await closeNow(server)
    },
  }
}

interface Request {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly body: string
}

async function answer(
  { incoming, outgoing, body }: Request,
  sessions: Map<string, Session>,
  create: () => McpServer,
): Promise<void> {
  const id = incoming.headers['mcp-session-id']
  const { transport } = sessions.get(String(id)) ?? {}
  if (transport === undefined && id !== undefined) {
    outgoing.writeHead(404, { 'content-type': 'application/json' })
    outgoing.end(
      '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}',
    )
    return
  }
  const open = transport ?? (await openSession(sessions, create()))
  await open.handleRequest(incoming, outgoing, body === '' ? undefined : JSON.parse(body))
}

async function openSession(
  sessions: Map<string, Session>,
  mcp: McpServer,
): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: createEventStore(),
    retryInterval: 10,
    onsessioninitialized: (id) => void sessions.set(id, { mcp, transport }),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  await mcp.connect(transport)
  return transport
}

function createMcp(
  join: () => Promise<void>,
  wait: (signal: AbortSignal) => Promise<void>,
): McpServer {
  const mcp = new McpServer(
    { name: 'sessions', version: '1.0.0' },
    { capabilities: { logging: {}, tools: {} } },
  )
  const inputSchema = { text: z.string() }
  const toAnswer = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
  mcp.registerTool('echo', { inputSchema }, (given) => toAnswer(given.text))
  mcp.registerTool('meet', { inputSchema }, async (given) => {
    await join()
    return toAnswer(given.text)
  })
  mcp.registerTool('wait', {}, async ({ signal }) => {
    await wait(signal)
    return toAnswer('Never seen')
  })
  return mcp
}

/** Holds callers until all have come, then lets them go, the last one first. */
function createMeeting(): { expect(calls: number): void; join(): Promise<void> } {
  const waiting: (() => void)[] = []
  let expected = 0
  return {
    expect: (calls) => {
      expected = calls
    },
    join: () =>
      new Promise((resolve) => {
        waiting.unshift(resolve)
        if (waiting.length === expected) for (const go of waiting.splice(0)) go()
      }),
  }
}

/** Calls that wait for the client to end them, one at a time. */
function createWaits() {
  let end: (how: 'cancelled' | 'hung up') => void = () => {}
  let tell: (call: WaitingCall) => void = () => {}
  return {
    async begin(signal: AbortSignal): Promise<void> {
      const ended = new Promise<'cancelled' | 'hung up'>((resolve) => {
        end = resolve
      })
      signal.addEventListener('abort', () => end('cancelled'))
      tell({ ended })
      await ended
    },
    hangUp: () => end('hung up'),
    next: () =>
      new Promise<WaitingCall>((resolve) => {
        tell = resolve
      }),
  }
}
