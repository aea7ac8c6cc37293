/**
 * An HTTP+SSE client in front of an HTTP+SSE backend (MCP 2024-11-05): the backend's stream passes event
 * by event, but for `endpoint`, which names a place of ours; what is posted there goes to the backend's
 * own, which no client gets to know.
 */
import { OAuthError } from '../../../errors.ts'
import type { AskBackend, BackendAnswer, HeaderField } from '../../../platform/exchange.ts'
import { cleanRequestFields } from '../../headers.ts'
import { createAsk } from '../asking.ts'
import { readEvents, toAnswer, verifyEventStream } from '../backend-answer.ts'
import { createEventOutlet, type EventOutlet } from '../bridge/event-outlet.ts'
import { readMessageBody } from '../message-body.ts'
import {
  type ForwardToBackend,
  type HttpBackend,
  type OurFields,
  toTargetUrl,
  withOurs,
} from '../request-fields.ts'
import type { ServerEvent } from './events.ts'
import {
  type LegacyHolder,
  openSession,
  readSessionParameter,
  resolveMessageUrl,
  sealSession,
  toMessagesAddress,
} from './session.ts'
import { createStreamHolding, type HeldStream } from './streams.ts'

/** The two places of an HTTP+SSE server. */
export interface LegacyPlaces {
  /** `GET`: the event stream. */
  readonly stream: ForwardToBackend
  /** `POST`: the messages of a stream. */
  readonly messages: ForwardToBackend
}

/** The places of a backend whose streams are opened at `path`. */
export function createLegacyRelay(
  backend: HttpBackend,
  path: string,
  ours: OurFields,
): LegacyPlaces {
  const holdStream = createStreamHolding(backend)
  /** Streams that are open at this instance, by session: who posts with a newer token keeps theirs alive. */
  const open = new Map<string, HeldStream>()
  const toFields = async (request: Request, { claims, context }: LegacyHolder) =>
    withOurs(withoutSession(cleanRequestFields(request.headers)), await ours.find(claims, context))

  return {
    async stream(request, claims, context) {
      const holder = { claims, backend, context }
      const held = holdStream(claims, context)
      const release = () => {
        held.release()
        for (const [session, stream] of open) if (stream === held) open.delete(session)
      }
      try {
        const headers = await toFields(request, holder)
        const url = toTargetUrl(request.url, backend.to)
        const signal = AbortSignal.any([held.signal, request.signal])
        const ask = createAsk(holder, ours)
        const rewrite = createEndpointRewriter(holder, path, (session) => open.set(session, held))
        const response = await relayStream({ url, headers, ask, signal, rewrite, release }, holder)
        countAnswer(200, holder)
        return response
      } catch (error) {
        release()
        throw error
      }
    },

    async messages(request, claims, context, judged) {
      const holder = { claims, backend, context }
      const session = readSessionParameter(request)
      const url = openSession(session, holder)
      open.get(session)?.renew(claims)
      const body = await readMessageBody(context, judged)
      const headers = await toFields(request, holder)
      const answer = await createAsk(holder, ours)({ url, method: 'POST', headers, body })
      countAnswer(answer.status, holder)
      return toAnswer(answer, backend)
    },
  }
}

/** How a stream is opened, changed on its way and let go. */
interface Relayed {
  readonly url: URL
  readonly headers: readonly HeaderField[]
  readonly ask: AskBackend
  readonly signal: AbortSignal
  readonly rewrite: (event: ServerEvent) => ServerEvent
  readonly release: () => void
}

/** Opens the backend's stream, and passes it on for as long as both sides and the token stand. */
async function relayStream(
  { url, headers, ask, signal, rewrite, release }: Relayed,
  holder: LegacyHolder,
): Promise<Response> {
  const { backend } = holder
  const ending = new AbortController()
  const either = AbortSignal.any([signal, ending.signal])
  const answer = await ask({ url, method: 'GET', headers, signal: either })
  try {
    verifyEventStream(answer, backend)
  } catch (error) {
    ending.abort()
    throw error
  }
  const outlet = createEventOutlet()
  outlet.over.addEventListener('abort', () => ending.abort())
  void pass(answer, outlet, rewrite)
    .catch((error: unknown) => noteBreak(error, either, holder))
    .finally(() => {
      outlet.end()
      release()
    })
  return outlet.response
}

/** `Mcp-Session-Id` belongs to Streamable HTTP. */
function withoutSession(fields: readonly HeaderField[]): HeaderField[] {
  return fields.filter(([name]) => name !== 'mcp-session-id')
}

async function pass(
  answer: BackendAnswer,
  outlet: EventOutlet,
  rewrite: (event: ServerEvent) => ServerEvent,
): Promise<void> {
  for await (const event of readEvents(answer)) await outlet.send(rewrite(event))
}

function createEndpointRewriter(
  holder: LegacyHolder,
  path: string,
  onSession: (session: string) => void,
): (event: ServerEvent) => ServerEvent {
  return (event) => {
    if (event.type !== 'endpoint') return event
    const url = resolveMessageUrl(event.data ?? '', holder.backend.to)
    const session = sealSession(url, holder)
    onSession(session)
    return { ...event, data: toMessagesAddress(path, session) }
  }
}

/** Nobody is told what ends as it should: the client left, the token ended, or we are stopping. */
function noteBreak(error: unknown, signal: AbortSignal, { backend, context }: LegacyHolder): void {
  const reason = error instanceof OAuthError ? error.reason : undefined
  if (signal.aborted || reason === 'gate_closing') return
  context.log.warn('A backend broke off its event stream', {
    backend: backend.id,
    request_id: context.exchange.requestId,
    reason,
  })
}

function countAnswer(status: number, { backend, context }: LegacyHolder): void {
  context.metrics.count('gate_requests', { backend: backend.id, status: String(status) })
}
