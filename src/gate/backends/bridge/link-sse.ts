/**
 * A client of HTTP+SSE (MCP 2024-11-05) on behalf of somebody who is none: opens the backend's stream, and
 * posts to where it wants messages. Answers come on the stream, whatever they answer.
 */
import type { RequestContext } from '../../../context.ts'
import { OAuthError } from '../../../errors.ts'
import type { BackendAnswer } from '../../../platform/exchange.ts'
import { cleanResponseFields } from '../../headers.ts'
import type { Caller } from '../asking.ts'
import { readEvents, readText, verifyEventStream } from '../backend-answer.ts'
import { resolveMessageUrl } from '../legacy/session.ts'
import type { HttpBackend, OurFields } from '../request-fields.ts'
import { toHttpCaller } from './http-caller.ts'
import type { BackendSide, LinkOptions } from './link.ts'
import { type Message, parseMessages } from './messages.ts'

/** How long a backend may take to say where it wants messages, in milliseconds. */
const endpointMs = 10_000

/** The way to a backend that speaks HTTP+SSE. */
export function createSseSide(backend: HttpBackend, ours: OurFields): BackendSide<Caller> {
  return {
    toCaller: (call) => toHttpCaller(call, ours),
    connect(options) {
      const stream = toStream(options, backend)
      return {
        open: (caller, context) => openStream(stream, { caller, context }),
        tell: (message, caller) => send(message, stream, caller),
        ask: (message, caller) => send(message, stream, caller),
      }
    },
  }
}

/** A backend's stream, opened for one session. */
interface Stream extends LinkOptions {
  readonly backend: HttpBackend
  readonly endpoint: PromiseWithResolvers<URL>
}

function toStream(options: LinkOptions, backend: HttpBackend): Stream {
  const { signal } = options.session
  const endpoint = Promise.withResolvers<URL>()
  // Whoever waits for it is told; nobody may be waiting any more.
  endpoint.promise.catch(() => undefined)
  signal.addEventListener('abort', () =>
    endpoint.reject(signal.reason instanceof OAuthError ? signal.reason : streamEnded()),
  )
  return { ...options, backend, endpoint }
}

/** Opens the backend's stream, and waits until it has said where it wants messages. */
async function openStream(
  stream: Stream,
  { caller, context }: { caller: Caller; context: RequestContext },
): Promise<void> {
  const { session, endpoint, backend } = stream
  const answer = await caller.ask({
    url: backend.to,
    method: 'GET',
    headers: [...caller.fields, ['accept', 'text/event-stream']],
    signal: session.signal,
  })
  verifyEventStream(answer, backend)
  const { log, exchange } = context
  const request_id = exchange.requestId
  void receive(answer, stream)
    .catch((error: unknown) => {
      const reason = error instanceof OAuthError ? error.reason : undefined
      if (session.signal.aborted || reason === 'gate_closing') return
      log.warn('A backend broke off its event stream', { backend: backend.id, request_id, reason })
      session.end(error)
    })
    .finally(() => session.end(streamEnded()))
  const timer = setTimeout(() => session.end(streamEnded()), endpointMs)
  await endpoint.promise.finally(() => clearTimeout(timer))
}

async function receive(
  answer: BackendAnswer,
  { endpoint, onMessage, backend }: Stream,
): Promise<void> {
  for await (const { type, data = '' } of readEvents(answer)) {
    if (type === 'endpoint') endpoint.resolve(resolveMessageUrl(data, backend.to))
    if (type !== 'message' || data === '') continue
    for (const message of parseMessages(data)) await onMessage(message)
  }
}

async function send(
  { text }: Message,
  { session, endpoint, backend }: Stream,
  caller: Caller,
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

function streamEnded(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server ended its event stream', {
    status: 502,
    reason: 'backend_stream_ended',
    retryAfterSeconds: 5,
  })
}
