/**
 * A Streamable HTTP client (MCP 2025-03-26 to 2025-11-25) in front of a backend that speaks something
 * else: `initialize` begins a link there, which lasts as long as the session that the client gets from us.
 */
import { OAuthError } from '../../../errors.ts'
import { corsHeaders } from '../../../oauth/cors.ts'
import type { Answer } from '../../../platform/exchange.ts'
import { exposedFields } from '../../refusal.ts'
import { readMessageBody } from '../message-body.ts'
import type { ForwardToBackend } from '../request-fields.ts'
import { createEventOutlet } from './event-outlet.ts'
import { type BackendLink, type BackendSide, type Call, openLink } from './link.ts'
import { findCancelled, type Message, parseMessages } from './messages.ts'
import { createReply } from './replies.ts'
import { createRouting, type Routing } from './routing.ts'
import type { BridgeLink, BridgeSession, BridgeSessions } from './sessions.ts'

/** A backend as one session has it. */
export interface BridgedClient<Caller> extends BridgeLink {
  readonly session: BridgeSession
  readonly routing: Routing
  readonly link: BackendLink<Caller>
}

const sessionField = 'mcp-session-id'

/** Any other one must be refused (MCP 2025-06-18 and 2025-11-25, Protocol Version Header; mcp-spec T43). */
const revisionsWithSessions: ReadonlySet<string> = new Set([
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
])

/** Methods of a bridged backend. */
export const bridgedMethods = ['GET', 'POST', 'DELETE']

/** Serves what was posted without a session, where it belongs to none (MCP 2026-07-28); undefined for the rest. */
export type ServeStateless = (
  call: Call,
  messages: readonly Message[],
  text: string,
) => Promise<Answer | Response> | undefined

/** The way of Streamable HTTP clients to such a backend. */
export function createStreamableClientBridge<Caller>(
  side: BackendSide<Caller>,
  sessions: BridgeSessions<BridgedClient<Caller>>,
  serveStateless?: ServeStateless,
): ForwardToBackend {
  const begin = async (call: Call, caller: Caller): Promise<BridgedClient<Caller>> => {
    const { claims, context } = call
    const client = sessions.begin(claims, context, (session) => toClient(session, side))
    return openLink(client, caller, context)
  }
  const findClient = (id: string, { request, claims }: Call): BridgedClient<Caller> => {
    const client = sessions.find(id, claims)
    verifyRevision(request.headers)
    return client
  }
  const post = async (call: Call): Promise<Answer | Response> => {
    const { request, context, judged } = call
    const text = await readMessageBody(context, judged)
    const messages = parseMessages(text)
    const stateless = serveStateless?.(call, messages, text)
    if (stateless) return stateless
    const id = request.headers.get(sessionField)
    const isBeginning = messages.some(({ method }) => method === 'initialize')
    if (id === null && !isBeginning) throw sessionMissing()
    const known = id === null ? undefined : findClient(id, call)
    const caller = await side.toCaller(call)
    known?.link.verify?.(caller)
    const client = known ?? (await begin(call, caller))
    return exchangeMessages(messages, client, { call, caller })
  }
  const attend = (call: Call): Answer | Response => {
    const { request } = call
    const id = request.headers.get(sessionField)
    if (id === null) throw sessionMissing()
    const { session, routing } = findClient(id, call)
    if (request.method === 'DELETE') {
      session.end()
      return { status: 204, headers: corsHeaders(exposedFields) }
    }
    const outlet = createEventOutlet()
    session.signal.addEventListener('abort', () => outlet.end(), { signal: outlet.over })
    void routing.listen(outlet)
    return outlet.response
  }
  return async (request, claims, context, judged) => {
    const call = { request, claims, context, judged }
    return request.method === 'POST' ? post(call) : attend(call)
  }
}

function toClient<Caller>(
  session: BridgeSession,
  side: BackendSide<Caller>,
): BridgedClient<Caller> {
  const routing = createRouting()
  session.signal.addEventListener('abort', () => {
    const { reason } = session.signal
    void routing.fail(reason instanceof OAuthError ? reason : sessionEnded())
  })
  const link = side.connect({ session, onMessage: routing.route })
  const { isRead, isBusy } = routing
  return { session, routing, link, isRead, isBusy }
}

/** Sends messages one by one, and answers when there is something to answer. */
async function exchangeMessages<Caller>(
  messages: readonly Message[],
  { session, routing, link }: BridgedClient<Caller>,
  { call, caller }: { readonly call: Call; readonly caller: Caller },
): Promise<Answer | Response> {
  const requests = messages.filter(isRequest)
  const ids = new Set(requests.map(({ id }) => id))
  if (ids.size < requests.length || requests.some(({ id }) => routing.isAsked(id))) throw idTaken()
  const sending = { routing, link, caller }
  if (requests.length === 0) {
    for (const message of messages) await tell(message, sending)
    return { status: 202, headers: corsHeaders(exposedFields) }
  }
  const headers = { [sessionField]: session.id }
  const reply = createReply(call, { count: requests.length, headers })
  for (const request of requests) routing.expect(request, reply)
  for (const message of messages) send(message, sending)
  return reply.answer
}

/** One POST whose messages are being sent. */
interface Sending<Caller> {
  readonly routing: Routing
  readonly link: BackendLink<Caller>
  readonly caller: Caller
}

function send<Caller>(message: Message, sending: Sending<Caller>): void {
  if (!isRequest(message)) return void tell(message, sending).catch(() => undefined)
  const { routing, link, caller } = sending
  const { id } = message
  void link.ask(message, caller).catch((error: unknown) => routing.fail(error, id))
}

async function tell<Caller>(
  message: Message,
  { routing, link, caller }: Sending<Caller>,
): Promise<void> {
  await link.tell(message, caller)
  const cancelled = findCancelled(message)
  if (cancelled !== undefined) routing.cancel(cancelled)
}

/** Whether a message asks for an answer, and says by which id. */
export function isRequest(message: Message): message is Message & { readonly id: string } {
  return message.kind === 'request' && message.id !== undefined
}

/** 400, so that a client of a later revision tries `initialize` (mcp-spec T28). */
export function sessionMissing(): OAuthError {
  return new OAuthError('invalid_request', 'Begin with initialize: this MCP server has sessions', {
    reason: 'session_missing',
  })
}

/** Which revision a session has agreed upon is between its client and the server; that there is one, we see to. */
function verifyRevision(headers: Headers): void {
  const revision = headers.get('mcp-protocol-version')
  if (revision === null || revisionsWithSessions.has(revision)) return
  const known = [...revisionsWithSessions].join(', ')
  throw new OAuthError('invalid_request', `In a session, MCP-Protocol-Version is one of ${known}`, {
    reason: 'revision_unknown',
  })
}

function idTaken(): OAuthError {
  return new OAuthError('invalid_request', 'A request with this id is still being answered', {
    reason: 'id_taken',
  })
}

function sessionEnded(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The session with the MCP server has ended', {
    status: 502,
    reason: 'backend_session_ended',
    retryAfterSeconds: 5,
  })
}
