/**
 * An HTTP+SSE client (MCP 2024-11-05) in front of a backend that speaks something else: what the client
 * posts goes to the backend, and whatever comes back, however it comes, goes into the client's stream.
 */
import { OAuthError } from '../../../errors.ts'
import { corsHeaders } from '../../../oauth/cors.ts'
import type { Answer } from '../../../platform/exchange.ts'
import { exposedFields } from '../../refusal.ts'
import type { LegacyPlaces } from '../legacy/relay.ts'
import { readSessionParameter, toMessagesAddress } from '../legacy/session.ts'
import { readMessageBody } from '../message-body.ts'
import { createEventOutlet, type EventOutlet } from './event-outlet.ts'
import { type BackendLink, type BackendSide, type Call, openLink, sessionGone } from './link.ts'
import { type Message, parseMessages, renderFailure } from './messages.ts'
import type { BridgeLink, BridgeSession, BridgeSessions } from './sessions.ts'
import { isRequest } from './streamable-client.ts'

/** A client, its stream and what it has at the backend. */
export interface StreamingClient<Caller> extends BridgeLink {
  readonly session: BridgeSession
  readonly outlet: EventOutlet
  readonly link: BackendLink<Caller>
  /** Requests whose answers the client has not taken yet. */
  waiting: number
}

/** Requests of one session that may wait at a time: a whole batch. Their answers are in memory until they are read. */
const waitingAllowed = 100

/** The places of a backend for clients that open their stream at `path`. */
export function createSseClientBridge<Caller>(
  path: string,
  side: BackendSide<Caller>,
  sessions: BridgeSessions<StreamingClient<Caller>>,
): LegacyPlaces {
  const begin = async (call: Call): Promise<StreamingClient<Caller>> => {
    const { claims, context } = call
    const caller = await side.toCaller(call)
    const client = sessions.begin(claims, context, (session) => toClient(session, side))
    return openLink(client, caller, context)
  }
  return {
    async stream(request, claims, context, judged) {
      const { outlet, session } = await begin({ request, claims, context, judged })
      await outlet.send({ type: 'endpoint', data: toMessagesAddress(path, session.id) })
      return outlet.response
    },

    async messages(request, claims, context, judged) {
      const client = sessions.find(readSessionParameter(request), claims)
      const messages = parseMessages(await readMessageBody(context, judged))
      const caller = await side.toCaller({ request, claims, context, judged })
      client.link.verify?.(caller)
      if (client.waiting + messages.filter(isRequest).length > waitingAllowed)
        throw tooManyWaiting()
      for (const message of messages) await deliver(message, caller, client)
      return accepted
    },
  }
}

function toClient<Caller>(
  session: BridgeSession,
  side: BackendSide<Caller>,
): StreamingClient<Caller> {
  const outlet = createEventOutlet()
  outlet.over.addEventListener('abort', () => session.end())
  session.signal.addEventListener('abort', () => outlet.end())
  const onMessage = ({ text }: Message) => outlet.send({ type: 'message', data: text })
  const link = side.connect({ session, onMessage })
  const client: StreamingClient<Caller> = {
    session,
    outlet,
    link,
    waiting: 0,
    isRead: () => true,
    isBusy: () => client.waiting > 0,
  }
  return client
}

const accepted: Answer = { status: 202, headers: corsHeaders(exposedFields) }

/**
 * Hands a message over. A request's answer comes on the stream, so nobody waits for it here; what has no
 * answer is waited for, so that the client's next message cannot overtake it.
 */
async function deliver<Caller>(
  message: Message,
  caller: Caller,
  client: StreamingClient<Caller>,
): Promise<void> {
  const { session, outlet, link } = client
  const endIfGone = (error: unknown) => {
    if (error instanceof OAuthError && error.reason === sessionGone) session.end(error)
  }
  if (!isRequest(message)) {
    await link.tell(message, caller).catch((error: unknown) => {
      endIfGone(error)
      throw error
    })
    return
  }
  const { id } = message
  client.waiting += 1
  void link
    .ask(message, caller)
    .catch(async (error: unknown) => {
      await outlet.send({ type: 'message', data: renderFailure(id, error) })
      endIfGone(error)
    })
    .finally(() => {
      client.waiting -= 1
    })
}

function tooManyWaiting(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    `More than ${waitingAllowed} requests of this session wait; read their answers first`,
    { status: 429, reason: 'requests_exhausted', retryAfterSeconds: 5 },
  )
}
