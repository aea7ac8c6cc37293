/**
 * Pipes one backend answer to one client: undici's parser on one side, the client's socket on the
 * other, nothing buffered in between.
 *
 * A relay waits for the backend's header fields, then streams, then is over. Whatever happens first
 * decides: the client leaves, the backend fails, the token ends, or all of it has passed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Dispatcher } from 'undici'
import type { BodyRewriter, ForwardOutcome, ForwardTarget, HeaderField } from './exchange.ts'
import { toRequestBody } from './node-body.ts'
import {
  defaultForwardLimitBytes,
  defaultHeadersTimeoutSeconds,
  repeatRequest,
  toBackendFailure,
} from './refusals.ts'

/**
 * Sends a request on and streams the answer into `outgoing`.
 *
 * @returns once the header fields are sent (or the client is gone), the mark that tells
 *   `@hono/node-server` that the response needs nothing more; it is shared, so hand it on unchanged
 * @throws OAuthError `temporarily_unavailable` with status 502, 503 or 504 when there was no answer
 */
export async function relay(
  sockets: { incoming: IncomingMessage; outgoing: ServerResponse },
  agent: Dispatcher,
  target: ForwardTarget,
): Promise<Response> {
  try {
    const limitBytes = target.bodyLimitBytes ?? defaultForwardLimitBytes
    const body = target.body ?? (await toRequestBody(sockets.incoming, limitBytes))
    const attempt = (to: ForwardTarget) =>
      stream(sockets.outgoing, to, (handler) =>
        agent.dispatch(toDispatchOptions(to, body), handler),
      )
    await attempt(target).catch(async (refusal: unknown) => {
      const headers = await target.recover?.(refusal)
      if (headers === undefined) throw refusal
      if (body instanceof Readable) throw repeatRequest(refusal)
      await attempt({ ...target, headers })
    })
    return RESPONSE_ALREADY_SENT
  } catch (error) {
    target.onEnd?.('refused')
    throw toBackendFailure(error)
  }
}

function toDispatchOptions(
  target: ForwardTarget,
  body: Buffer | Readable | string | null,
): Dispatcher.DispatchOptions {
  const headersTimeoutSeconds = target.headersTimeoutSeconds ?? defaultHeadersTimeoutSeconds
  return {
    origin: target.url.origin,
    path: target.url.pathname + target.url.search,
    method: target.method,
    headers: target.headers.flat(),
    body,
    headersTimeout: headersTimeoutSeconds * 1000,
    bodyTimeout: 0,
  }
}

/** Resolves when the header fields are on their way or the client is gone; rejects when there are none. */
function stream(
  outgoing: ServerResponse,
  target: ForwardTarget,
  dispatch: (handler: Dispatcher.DispatchHandler) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let phase: 'waiting' | 'streaming' | 'over' = 'waiting'
    let isEventStream = false
    let rewriter: BodyRewriter | undefined
    let backend: Dispatcher.DispatchController | undefined

    const end = (outcome: ForwardOutcome, reason: Error) => {
      const before = phase
      if (before === 'over') return
      phase = 'over'
      outgoing.off('close', onClientGone).off('drain', onDrain)
      target.signal?.removeEventListener('abort', onStopped)
      if (outcome !== 'complete') backend?.abort(reason)
      if (before === 'streaming') closeClient(outgoing, outcome === 'complete' || isEventStream)
      if (before === 'waiting' && outcome !== 'client_left') return reject(reason)
      target.onEnd?.(outcome)
      resolve()
    }
    const onClientGone = () => end('client_left', new Error('The client went away'))
    const onStopped = () => end('stopped', toError(target.signal?.reason))
    const onDrain = () => backend?.resume()

    if (outgoing.destroyed) return onClientGone()
    if (target.signal?.aborted) return onStopped()
    outgoing.on('close', onClientGone).on('drain', onDrain)
    target.signal?.addEventListener('abort', onStopped)
    dispatch({
      onRequestStart(controller) {
        backend = controller
        if (phase === 'over') controller.abort(new Error('Ended before it was sent'))
      },
      onResponseStart(controller, status) {
        if (status < 200 || phase !== 'waiting') return
        try {
          isEventStream = sendHead(outgoing, status, target, toFields(controller.rawHeaders))
          rewriter = target.rewrite?.()
          phase = 'streaming'
          resolve()
        } catch (error) {
          end('refused', toError(error))
        }
      },
      onResponseData(controller, chunk) {
        if (phase !== 'streaming' || outgoing.writableEnded) return
        const sent = rewriter ? rewriter.write(chunk) : chunk
        if (sent !== undefined && !outgoing.write(sent)) controller.pause()
      },
      onResponseEnd() {
        const rest = rewriter?.end()
        if (rest !== undefined && phase === 'streaming') outgoing.write(rest)
        end('complete', complete)
      },
      onResponseError: (_controller, error) => end('backend_failed', error),
    })
  })
}

/** Stands where a reason is wanted and none is looked at: an error of its own would cost every answer a stack trace. */
const complete = new Error('Complete')

/** Writes the response head; says whether it begins an event stream. */
function sendHead(
  outgoing: ServerResponse,
  status: number,
  target: ForwardTarget,
  fields: readonly HeaderField[],
): boolean {
  const answered = target.respond(status, fields)
  const type = answered.find(([name]) => name === 'content-type')?.[1] ?? ''
  const isEventStream = type.toLowerCase().startsWith('text/event-stream')
  outgoing.writeHead(status, answered.flat())
  // Without this the client learns of a quiet stream only with its first event.
  if (isEventStream) outgoing.flushHeaders()
  return isEventStream
}

/**
 * Ends the client's side. What broke off in the middle is torn down, so that it cannot be taken for
 * complete; an event stream ends like any other, since only whole events count (catalogue ST-03).
 */
function closeClient(outgoing: ServerResponse, isWhole: boolean): void {
  if (outgoing.destroyed || outgoing.writableEnded) return
  if (isWhole) outgoing.end()
  else outgoing.destroy()
}

function toFields(raw: Dispatcher.DispatchController['rawHeaders']): HeaderField[] {
  if (!Array.isArray(raw)) return []
  const fields: HeaderField[] = []
  for (let at = 0; at + 1 < raw.length; at += 2)
    fields.push([toLatin1(raw[at]).toLowerCase(), toLatin1(raw[at + 1])])
  return fields
}

function toLatin1(text: Buffer | string | undefined): string {
  return typeof text === 'string' ? text : (text?.toString('latin1') ?? '')
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('Ended', { cause: reason })
}
