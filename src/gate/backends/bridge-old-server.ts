/**
 * A Streamable HTTP client (MCP 2025-03-26 to 2025-11-25) in front of an HTTP+SSE backend (2024-11-05):
 * `initialize` opens a stream there, which lasts as long as the session that the client gets from us.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { corsHeaders } from '../../oauth/cors.ts'
import type { Answer, BackendAnswer, HeaderField } from '../../platform/exchange.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { cleanRequestFields, cleanResponseFields } from '../headers.ts'
import { exposedFields } from '../refusal.ts'
import { type Caller, createAsk } from './asking.ts'
import { readEvents, readText, verifyEventStream } from './backend-answer.ts'
import { type Message, parseMessages } from './bridge-messages.ts'
import { createEventOutlet } from './bridge-outlet.ts'
import { createReply } from './bridge-replies.ts'
import { createRouting, type Routing } from './bridge-routing.ts'
import { type BridgeLink, type BridgeSession, createBridgeSessions } from './bridge-sessions.ts'
import { resolveMessageUrl } from './legacy-session.ts'
import { readMessageBody } from './message-body.ts'
import {
  type ForwardToBackend,
  type HttpBackend,
  type Judged,
  type OurFields,
  withOurs,
} from './request-fields.ts'

/** A backend's stream, opened for one session. */
interface OldServer extends BridgeLink {
  readonly session: BridgeSession
  readonly routing: Routing
  readonly endpoint: PromiseWithResolvers<URL>
}

/** Who asks, and with what. */
interface Call {
  readonly request: Request
  readonly claims: AccessTokenClaims
  readonly context: RequestContext
  readonly judged: Judged | undefined
}

const sessionField = 'mcp-session-id'

/** How long a backend may take to say where it wants messages, in milliseconds. */
const endpointMs = 10_000

/** Methods of a bridged backend. */
export const bridgedMethods = ['GET', 'POST', 'DELETE']

/** The way of Streamable HTTP clients to such a backend. */
export function createOldServerBridge(backend: HttpBackend, ours: OurFields): ForwardToBackend {
  const sessions = createBridgeSessions<OldServer>(backend)
  const toCaller = async ({ request, claims, context }: Call): Promise<Caller> => {
    const cleaned = withoutTransport(cleanRequestFields(request.headers))
    const fields = withOurs(cleaned, await ours.find(claims, context))
    return { fields, ask: createAsk({ claims, context }, ours) }
  }
  const begin = async (call: Call): Promise<OldServer> => {
    const { claims, context } = call
    const caller = await toCaller(call)
    const server = sessions.begin(claims, context, toOldServer)
    try {
      await openStream(server, { caller, backend, context })
      return server
    } catch (error) {
      server.session.end(error)
      throw error
    }
  }
  const post = async (call: Call): Promise<Answer | Response> => {
    const { request, claims, context, judged } = call
    const messages = parseMessages(await readMessageBody(context, judged))
    const id = request.headers.get(sessionField)
    const isBeginning = messages.some(({ method }) => method === 'initialize')
    if (id === null && !isBeginning) throw sessionMissing()
    const server = id === null ? await begin(call) : sessions.find(id, claims)
    const caller = await toCaller(call)
    return exchangeMessages(messages, server, { request, caller, backend })
  }
  return async (request, claims, context, judged) => {
    const call = { request, claims, context, judged }
    const outcome = await (request.method === 'POST' ? post(call) : attend(call))
    context.metrics.count('gate_requests', { backend: backend.id, status: String(outcome.status) })
    return outcome
  }

  async function attend({ request, claims }: Call): Promise<Answer | Response> {
    const id = request.headers.get(sessionField)
    if (id === null) throw sessionMissing()
    const { session, routing } = sessions.find(id, claims)
    if (request.method === 'DELETE') {
      session.end()
      return { status: 204, headers: corsHeaders(exposedFields) }
    }
    const outlet = createEventOutlet()
    session.signal.addEventListener('abort', () => outlet.end(), { signal: outlet.over })
    void routing.listen(outlet)
    return outlet.response
  }
}

function toOldServer(session: BridgeSession): OldServer {
  const routing = createRouting()
  const endpoint = Promise.withResolvers<URL>()
  // Whoever waits for it is told; nobody may be waiting any more.
  endpoint.promise.catch(() => undefined)
  session.signal.addEventListener('abort', () => {
    const reason =
      session.signal.reason instanceof OAuthError ? session.signal.reason : streamEnded()
    endpoint.reject(reason)
    void routing.fail(reason)
  })
  return { session, routing, endpoint, isRead: routing.isRead }
}

/** Opens the backend's stream, and waits until it has said where it wants messages. */
async function openStream(
  server: OldServer,
  at: { caller: Caller; backend: HttpBackend; context: RequestContext },
): Promise<void> {
  const { session, endpoint } = server
  const { caller, backend, context } = at
  const answer = await caller.ask({
    url: backend.to,
    method: 'GET',
    headers: [...caller.fields, ['accept', 'text/event-stream']],
    signal: session.signal,
  })
  verifyEventStream(answer, backend)
  const { log, exchange } = context
  const { requestId } = exchange
  void receive(answer, server, backend)
    .catch((error: unknown) => {
      const reason = error instanceof OAuthError ? error.reason : undefined
      if (session.signal.aborted || reason === 'gate_closing') return
      log.warn('A backend broke off its event stream', { backend: backend.id, requestId, reason })
      session.end(error)
    })
    .finally(() => session.end())
  const timer = setTimeout(() => session.end(streamEnded()), endpointMs)
  await endpoint.promise.finally(() => clearTimeout(timer))
}

async function receive(
  answer: BackendAnswer,
  { endpoint, routing }: OldServer,
  { to }: HttpBackend,
): Promise<void> {
  for await (const { type, data = '' } of readEvents(answer)) {
    if (type === 'endpoint') endpoint.resolve(resolveMessageUrl(data, to))
    if (type !== 'message' || data === '') continue
    for (const message of parseMessages(data)) await routing.route(message)
  }
}

/** How messages of one POST are sent. */
interface Sending {
  readonly request: Request
  readonly caller: Caller
  readonly backend: HttpBackend
}

/** Sends messages one by one, as the old transport has them, and answers when there is something to answer. */
async function exchangeMessages(
  messages: readonly Message[],
  server: OldServer,
  sending: Sending,
): Promise<Answer | Response> {
  const { session, routing } = server
  const requests = messages.filter(isRequest)
  if (requests.some(({ id }) => routing.isAsked(id))) throw idTaken()
  if (requests.length === 0) {
    for (const message of messages) await send(message, server, sending)
    return { status: 202, headers: corsHeaders(exposedFields) }
  }
  const reply = createReply(sending.request, requests.length, { [sessionField]: session.id })
  for (const request of requests) routing.expect(request, reply)
  for (const message of messages)
    void send(message, server, sending).catch(async (error: unknown) => {
      if (isRequest(message)) await routing.fail(error, message.id)
    })
  return reply.answer
}

function isRequest(message: Message): message is Message & { readonly id: string } {
  return message.kind === 'request' && message.id !== undefined
}

async function send(
  { text }: Message,
  { session, endpoint }: OldServer,
  { caller, backend }: Sending,
): Promise<void> {
  const answer = await caller.ask({
    url: await endpoint.promise,
    method: 'POST',
    headers: [...caller.fields, ['content-type', 'application/json']],
    body: text,
    signal: session.signal,
  })
  cleanResponseFields(answer.status, answer.headers, backend)
  await readText(answer)
  if (answer.status >= 200 && answer.status < 300) return
  // The stream is still there, and the backend does not know it: there is nothing left to wait for.
  if (answer.status === 404) session.end(streamEnded())
  throw new OAuthError('invalid_request', `The MCP server answered ${answer.status}`, {
    status: answer.status >= 400 && answer.status < 500 ? answer.status : 502,
    reason: 'backend_refused_message',
  })
}

/** What the client's request says about Streamable HTTP, and about the body that was read. */
const transportFields: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  sessionField,
  'last-event-id',
])

function withoutTransport(fields: readonly HeaderField[]): HeaderField[] {
  return fields.filter(([name]) => !transportFields.has(name))
}

/** 400, so that a client of a later revision tries `initialize` (mcp-spec T28). */
function sessionMissing(): OAuthError {
  return new OAuthError('invalid_request', 'Begin with initialize: this MCP server has sessions', {
    reason: 'session_missing',
  })
}

function idTaken(): OAuthError {
  return new OAuthError('invalid_request', 'A request with this id is still being answered', {
    reason: 'id_taken',
  })
}

function streamEnded(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server ended its event stream', {
    status: 502,
    reason: 'backend_stream_ended',
    retryAfterSeconds: 5,
  })
}
