/**
 * The ways to a backend: which paths it has, and what is spoken at each, by its configuration. Whatever
 * the way, the same gate stands before it.
 */
import { createOldClientBridge } from './bridge-old-client.ts'
import { bridgedMethods, createOldServerBridge } from './bridge-old-server.ts'
import { createLegacyRelay, type LegacyPlaces } from './legacy-relay.ts'
import { toMessagesPath } from './legacy-session.ts'
import { createOurFields, type ForwardToBackend, type HttpBackend } from './request-fields.ts'
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

/** Methods of Streamable HTTP in any revision, and HEAD, which clients probe with. */
const streamableMethods = ['GET', 'HEAD', 'POST', 'DELETE']

/** All ways to a backend. They share what they remember, so they are made once. */
export function createWays(backend: HttpBackend): readonly Way[] {
  const { path, ssePath } = backend
  const ours = createOurFields(backend)
  const isOld = backend.transport === 'sse'
  const main = isOld ? createOldServerBridge(backend, ours) : createStreamableHttp(backend, ours)
  const way = { path, protectedPath: path, methods: isOld ? bridgedMethods : streamableMethods }
  if (ssePath === undefined) return [{ ...way, forward: main }]

  const createPlaces = isOld ? createLegacyRelay : createOldClientBridge
  const legacy = createPlaces(backend, ssePath, ours)
  const messages = {
    path: toMessagesPath(ssePath),
    protectedPath: ssePath,
    methods: ['POST'],
    answersElsewhere: true,
    forward: legacy.messages,
  }
  if (ssePath === path) return [{ ...way, forward: chooseByRequest(main, legacy) }, messages]
  const stream = { path: ssePath, protectedPath: ssePath, methods: ['GET'], forward: legacy.stream }
  return [{ ...way, forward: main }, stream, messages]
}

/**
 * Both transports at one path. Only a client of HTTP+SSE begins with a GET: one of Streamable HTTP comes
 * with the session that an earlier POST gave it.
 */
function chooseByRequest(main: ForwardToBackend, legacy: LegacyPlaces): ForwardToBackend {
  return (request, claims, context, judged) => {
    const isLegacy = request.method === 'GET' && !request.headers.has('mcp-session-id')
    return (isLegacy ? legacy.stream : main)(request, claims, context, judged)
  }
}
