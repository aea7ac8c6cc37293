/**
 * An HTTP+SSE client (MCP 2024-11-05) in front of a Streamable HTTP backend: what the client posts goes
 * to the backend's one endpoint, and whatever comes back, however it comes, goes into the client's stream.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { corsHeaders } from '../../oauth/cors.ts'
import type { Answer, HeaderField } from '../../platform/exchange.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { cleanRequestFields } from '../headers.ts'
import { exposedFields } from '../refusal.ts'
import { type Caller, createAsk } from './asking.ts'
import { type BackendLink, createBackendLink, sessionGone } from './bridge-backend.ts'
import { listRequestIds, type Message, parseMessages, renderFailure } from './bridge-messages.ts'
import { createEventOutlet, type EventOutlet } from './bridge-outlet.ts'
import { type BridgeLink, type BridgeSession, createBridgeSessions } from './bridge-sessions.ts'
import type { LegacyPlaces } from './legacy-relay.ts'
import { readSessionParameter, toMessagesAddress } from './legacy-session.ts'
import { readMessageBody } from './message-body.ts'
import { type HttpBackend, type OurFields, withOurs } from './request-fields.ts'

/** A client, its stream and what we are at the backend for it. */
interface OldClient extends BridgeLink {
  readonly session: BridgeSession
  readonly outlet: EventOutlet
  readonly link: BackendLink
  /** Requests whose answers the client has not taken yet. */
  waiting: number
}

/** Requests of one session that may wait at a time: a whole batch. Their answers are in memory until they are read. */
const waitingAllowed = 100

/** The places of a backend for clients that open their stream at `path`. */
export function createOldClientBridge(
  backend: HttpBackend,
  path: string,
  ours: OurFields,
): LegacyPlaces {
  const sessions = createBridgeSessions<OldClient>(backend)
  const toCaller = async (
    request: Request,
    claims: AccessTokenClaims,
    context: RequestContext,
  ): Promise<Caller> => {
    const cleaned = withoutTransport(cleanRequestFields(request.headers))
    const fields = withOurs(cleaned, await ours.find(claims, context))
    return { fields, ask: createAsk({ claims, context }, ours) }
  }
  const connect = (session: BridgeSession): OldClient => {
    const outlet = createEventOutlet()
    outlet.over.addEventListener('abort', () => session.end())
    session.signal.addEventListener('abort', () => outlet.end())
    const { signal } = session
    const onMessage = ({ text }: Message) => outlet.send({ type: 'message', data: text })
    const link = createBackendLink({ backend, signal, onMessage })
    return { session, outlet, link, waiting: 0, isRead: () => true }
  }
  return {
    async stream(_request, claims, context) {
      const { outlet, session } = sessions.begin(claims, context, connect)
      await outlet.send({ type: 'endpoint', data: toMessagesAddress(path, session.id) })
      context.metrics.count('gate_requests', { backend: backend.id, status: '200' })
      return outlet.response
    },

    async messages(request, claims, context, judged) {
      const client = sessions.find(readSessionParameter(request), claims)
      const messages = parseMessages(await readMessageBody(context, judged))
      const caller = await toCaller(request, claims, context)
      if (client.waiting + listRequestIds(messages).length > waitingAllowed) throw tooManyWaiting()
      for (const message of messages) await deliver(message, caller, client)
      context.metrics.count('gate_requests', { backend: backend.id, status: '202' })
      return accepted
    },
  }
}

/** What stood in the client's request for HTTP+SSE, and stands otherwise for Streamable HTTP. */
const transportFields: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'mcp-session-id',
  'last-event-id',
])

function withoutTransport(fields: readonly HeaderField[]): HeaderField[] {
  return fields.filter(([name]) => !transportFields.has(name))
}

const accepted: Answer = { status: 202, headers: corsHeaders(exposedFields) }

/**
 * Hands a message over. A request's answer comes on the stream, so nobody waits for it here; what has no
 * answer is waited for, so that the client's next message cannot overtake it.
 */
async function deliver(message: Message, caller: Caller, client: OldClient): Promise<void> {
  const { session, outlet, link } = client
  const endIfGone = (error: unknown) => {
    if (error instanceof OAuthError && error.reason === sessionGone) session.end(error)
  }
  const [id] = listRequestIds([message])
  if (id === undefined) {
    await link.tell(message, caller).catch((error: unknown) => {
      endIfGone(error)
      throw error
    })
    return
  }
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
