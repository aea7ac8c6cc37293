/**
 * The ways to a backend: which paths it has, and what is spoken at each, by its configuration. Whatever
 * the way, the same gate stands before it.
 */
import type { Backend } from '../../context.ts'
import { createSseSide } from './bridge/link-sse.ts'
import { createStreamableSide } from './bridge/link-streamable.ts'
import { createBridgeSessions } from './bridge/sessions.ts'
import { createSseClientBridge } from './bridge/sse-client.ts'
import {
  type BridgedClient,
  bridgedMethods,
  createStreamableClientBridge,
} from './bridge/streamable-client.ts'
import { createLegacyRelay, type LegacyPlaces } from './legacy/relay.ts'
import { toMessagesPath } from './legacy/session.ts'
import {
  createOurFields,
  type ForwardToBackend,
  type HttpBackend,
  type StdioBackend,
} from './request-fields.ts'
import { createEnvironments } from './stdio/environment.ts'
import { createStdioSide, type StdioCaller } from './stdio/link.ts'
import { createPlaces } from './stdio/places.ts'
import { createStdioServers } from './stdio/server.ts'
import { createStateless } from './stdio/without-sessions.ts'
import type { Worker } from './stdio/worker.ts'
import { createStreamableHttp } from './streamable-http.ts'

/** A path at which a backend is reached. */
export interface Way {
  readonly path: string
  /** The path whose protected-resource metadata a challenge names. */
  readonly protectedPath: string
  readonly methods: readonly string[]
  /** Whether answers to what is posted here come on another request's stream. */
  readonly answersElsewhere?: boolean
  readonly forward: ForwardToBackend
}

/** What clients of each transport meet at one backend. They share what they remember, so they are made once. */
interface Transports {
  /** Methods of Streamable HTTP that are served. */
  readonly methods: readonly string[]
  readonly streamable: ForwardToBackend
  /** Makes the places of HTTP+SSE below a path. */
  createPlaces(path: string): LegacyPlaces
}

/** Methods of Streamable HTTP in any revision, and HEAD, which clients probe with. */
const streamableMethods = ['GET', 'HEAD', 'POST', 'DELETE']

/** All ways to a backend. */
export function createWays(backend: HttpBackend | StdioBackend): readonly Way[] {
  const { path, ssePath } = backend
  const { methods, streamable, createPlaces } = chooseTransports(backend)
  const way = { path, protectedPath: path, methods }
  if (ssePath === undefined) return [{ ...way, forward: streamable }]

  const legacy = createPlaces(ssePath)
  const messages = {
    path: toMessagesPath(ssePath),
    protectedPath: ssePath,
    methods: ['POST'],
    answersElsewhere: true,
    forward: legacy.messages,
  }
  if (ssePath === path) return [{ ...way, forward: chooseByRequest(streamable, legacy) }, messages]
  const stream = { path: ssePath, protectedPath: ssePath, methods: ['GET'], forward: legacy.stream }
  return [{ ...way, forward: streamable }, stream, messages]
}

function chooseTransports(backend: HttpBackend | StdioBackend): Transports {
  if (isProgram(backend)) return toProgram(backend)
  return backend.transport === 'sse' ? toOldServer(backend) : toStreamableServer(backend)
}

function isProgram(backend: Backend): backend is StdioBackend {
  return backend.program !== undefined
}

function toStreamableServer(backend: HttpBackend): Transports {
  const ours = createOurFields(backend)
  return {
    methods: streamableMethods,
    streamable: createStreamableHttp(backend, ours),
    createPlaces(path) {
      const side = createStreamableSide(backend, ours)
      const places = createSseClientBridge(path, side, createBridgeSessions(backend))
      return countPlaces(places, backend)
    },
  }
}

function toOldServer(backend: HttpBackend): Transports {
  const ours = createOurFields(backend)
  const side = createSseSide(backend, ours)
  const bridge = createStreamableClientBridge(side, createBridgeSessions(backend))
  return {
    methods: bridgedMethods,
    streamable: countAnswers(bridge, backend),
    createPlaces: (path) => createLegacyRelay(backend, path, ours),
  }
}

function toProgram(backend: StdioBackend): Transports {
  const start = createStdioServers(backend)
  const side = createStdioSide(createEnvironments(backend), start)
  const { idleSeconds } = backend.program
  const bounds = { idleSeconds, admit: createPlaces(backend.program) }
  const workers = createBridgeSessions<Worker>(backend, bounds)
  const serveStateless = createStateless({ side, start, sessions: workers })
  const sessions = createBridgeSessions<BridgedClient<StdioCaller>>(backend, bounds)
  const bridge = createStreamableClientBridge(side, sessions, serveStateless)
  return {
    methods: bridgedMethods,
    streamable: countAnswers(bridge, backend),
    createPlaces(path) {
      const places = createSseClientBridge(path, side, createBridgeSessions(backend, bounds))
      return countPlaces(places, backend)
    },
  }
}

function countPlaces({ stream, messages }: LegacyPlaces, backend: Backend): LegacyPlaces {
  return { stream: countAnswers(stream, backend), messages: countAnswers(messages, backend) }
}

/** Bridges answer themselves; refusals are counted at the gate. */
function countAnswers(forward: ForwardToBackend, { id }: Backend): ForwardToBackend {
  return async (request, claims, context, judged) => {
    const outcome = await forward(request, claims, context, judged)
    context.metrics.count('gate_requests', { backend: id, status: String(outcome.status) })
    return outcome
  }
}

/**
 * Both transports at one path. Only a client of HTTP+SSE begins with a GET: one of Streamable HTTP comes
 * with the session that an earlier POST gave it.
 */
function chooseByRequest(streamable: ForwardToBackend, legacy: LegacyPlaces): ForwardToBackend {
  return (request, claims, context, judged) => {
    const isLegacy = request.method === 'GET' && !request.headers.has('mcp-session-id')
    return (isLegacy ? legacy.stream : streamable)(request, claims, context, judged)
  }
}
