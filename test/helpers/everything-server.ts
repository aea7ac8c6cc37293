/**
 * An MCP server that has everything the conformance package asks a server for, in both eras of the
 * protocol: 2026-07-28 without sessions, and the revisions before it with them.
 */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import {
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { createEventStore } from './event-store.ts'
import { createEverything, createState } from './everything.ts'
import { closeNow, listenOnLoopback } from './loopback.ts'

/** The everything server, listening. */
export interface EverythingServer {
  readonly url: string
  close(): Promise<void>
}

type Fetch = (request: Request) => Promise<Response>

/** Starts one on a free port. Like any server of a developer's machine it answers to local names only. */
export async function startEverythingServer(): Promise<EverythingServer> {
  const state = createState()
  const modern = createMcpHandler(
    () => createEverything({ state, notify: modern.notify, isLegacy: false }),
    {
      legacy: 'reject',
    },
  )
  const legacy = createSessions(() => createEverything({ state, isLegacy: true }))
  const answer = toNodeHandler({
    fetch: async (request) =>
      (await isLegacyRequest(request)) ? legacy.fetch(request) : modern.fetch(request),
  })
  const guards = [localhostHostValidation(), localhostOriginValidation()]
  const server = createServer((incoming, outgoing) => {
    if (guards.every((isAllowed) => isAllowed(incoming, outgoing))) void answer(incoming, outgoing)
  })
  const origin = await listenOnLoopback(server)
  return {
    url: `${origin}/mcp`,
    close: async () => {
      await Promise.all([modern.close(), legacy.close()])
      await closeNow(server)
    },
  }
}

/** The sessions of the revisions up to 2025-11-25, resumable. */
function createSessions(create: () => McpServer): { fetch: Fetch; close(): Promise<void> } {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const open = async (): Promise<WebStandardStreamableHTTPServerTransport> => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: 100,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await create().connect(transport)
    return transport
  }
  return {
    async fetch(request) {
      const id = request.headers.get('mcp-session-id')
      const transport = id === null ? await open() : sessions.get(id)
      if (transport) return transport.handleRequest(request)
      const error = { code: -32001, message: 'Session not found' }
      return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 404 })
    },
    close: async () => {
      await Promise.all([...sessions.values()].map((transport) => transport.close()))
    },
  }
}
