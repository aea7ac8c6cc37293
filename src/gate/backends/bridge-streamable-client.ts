/**
 * A Streamable HTTP client (MCP 2025-03-26 to 2025-11-25) in front of a backend that speaks something
 * else: `initialize` begins a link there, which lasts as long as the session that the client gets from us.
 */
import { OAuthError } from '../../errors.ts'
import { corsHeaders } from '../../oauth/cors.ts'
import type { Answer } from '../../platform/exchange.ts'
import { exposedFields } from '../refusal.ts'
import { type Message, parseMessages } from './bridge-messages.ts'
import { createEventOutlet } from './bridge-outlet.ts'
import { createReply } from './bridge-replies.ts'
import { createRouting, type Routing } from './bridge-routing.ts'
import type { BridgeLink, BridgeSession, BridgeSessions } from './bridge-sessions.ts'
import { type BackendLink, type BackendSide, type Call, openLink } from './link.ts'
import { readMessageBody } from './message-body.ts'
import type { ForwardToBackend } from './request-fields.ts'

/** A backend as one session has it. */
export interface BridgedClient<Caller> extends BridgeLink {
  readonly session: BridgeSession
  readonly routing: Routing
  readonly link: BackendLink<Caller>
}

const sessionField = 'mcp-session-id'

/** Methods of a bridged backend. */
export const bridgedMethods = ['GET', 'POST', 'DELETE']

/** The way of Streamable HTTP clients to such a backend. */
export function createStreamableClientBridge<Caller>(
  side: BackendSide<Caller>,
  sessions: BridgeSessions<BridgedClient<Caller>>,
): ForwardToBackend {
  const begin = async (call: Call, caller: Caller): Promise<BridgedClient<Caller>> => {
    const { claims, context } = call
    const client = sessions.begin(claims, context, (session) => toClient(session, side))
    return openLink(client, caller, context)
  }
  const post = async (call: Call): Promise<Answer | Response> => {
    const { request, claims, context, judged } = call
    const messages = parseMessages(await readMessageBody(context, judged))
    const id = request.headers.get(sessionField)
    const isBeginning = messages.some(({ method }) => method === 'initialize')
    if (id === null && !isBeginning) throw sessionMissing()
    const known = id === null ? undefined : sessions.find(id, claims)
    const caller = await side.toCaller(call)
    const client = known ?? (await begin(call, caller))
    return exchangeMessages(messages, client, { call, caller })
  }
  const attend = ({ request, claims }: Call): Answer | Response => {
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
  return { session, routing, link, isRead: routing.isRead }
}

/** Sends messages one by one, and answers when there is something to answer. */
async function exchangeMessages<Caller>(
  messages: readonly Message[],
  { session, routing, link }: BridgedClient<Caller>,
  { call, caller }: { readonly call: Call; readonly caller: Caller },
): Promise<Answer | Response> {
  const requests = messages.filter(isRequest)
  if (requests.some(({ id }) => routing.isAsked(id))) throw idTaken()
  if (requests.length === 0) {
    for (const message of messages) await link.tell(message, caller)
    return { status: 202, headers: corsHeaders(exposedFields) }
  }
  const headers = { [sessionField]: session.id }
  const reply = createReply(call, { count: requests.length, headers })
  for (const request of requests) routing.expect(request, reply)
  for (const message of messages) send(message, { routing, link, caller })
  return reply.answer
}

/** One POST whose messages are being sent. */
interface Sending<Caller> {
  readonly routing: Routing
  readonly link: BackendLink<Caller>
  readonly caller: Caller
}

function send<Caller>(message: Message, { routing, link, caller }: Sending<Caller>): void {
  const isAsking = isRequest(message)
  const sent = isAsking ? link.ask(message, caller) : link.tell(message, caller)
  void sent.catch(async (error: unknown) => {
    if (isAsking) await routing.fail(error, message.id)
  })
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
