/** The exchange wherever there is only `Request` and `fetch`: other runtimes, and tests without a port. */
import { OAuthError } from '../errors.ts'
import { createWebAsk } from './backend-request.ts'
import type { Random } from './crypto.ts'
import type {
  Answer,
  BodyRewriter,
  Exchange,
  ForwardOutcome,
  ForwardTarget,
  HeaderField,
} from './exchange.ts'
import {
  bodyCutShort,
  bodyNotText,
  bodyTooLarge,
  defaultForwardLimitBytes,
  defaultHeadersTimeoutSeconds,
  repeatRequest,
  smallBodyBytes,
  toBackendFailure,
  verifyPlainBody,
} from './refusals.ts'

/** What a web exchange needs besides its request. */
export interface WebExchangePorts {
  readonly random: Random
  readonly fetch: typeof fetch
  /** Ends the answers to our own requests that are still coming. */
  readonly closing?: AbortSignal
}

/** Statuses whose responses have no body, and for which `Response` refuses one. */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304])

/** The exchange of a request without sockets; its `peer` is `unknown`. */
export function createWebExchange(request: Request, ports: WebExchangePorts): Exchange {
  return {
    requestId: ports.random(9),
    peer: 'unknown',
    readBody: (limitBytes) => readText(request, limitBytes),
    respond: toResponse,
    forward: (target) => forward(request, ports.fetch, target),
    ask: createWebAsk(ports.fetch, ports.closing),
  }
}

/** An answer as a `Response`. */
export function toResponse({ status, headers, cookies = [], body }: Answer): Response {
  const response = new Response(body ?? null, { status, headers })
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

async function readText(request: Request, limitBytes: number): Promise<string> {
  verifyPlainBody(request.headers.get('content-encoding'))
  if (readDeclaredLength(request) > limitBytes) throw bodyTooLarge(limitBytes)
  if (!request.body) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  try {
    for await (const chunk of countBytes(request.body, limitBytes))
      text += decoder.decode(chunk, { stream: true })
    return text + decoder.decode()
  } catch (error) {
    if (error instanceof OAuthError) throw error
    if (error instanceof TypeError && !request.signal.aborted) throw bodyNotText()
    throw bodyCutShort(error)
  }
}

async function forward(
  request: Request,
  outbound: typeof fetch,
  target: ForwardTarget,
): Promise<Response> {
  const abort = new AbortController()
  const end = createEnding(request, target, abort)
  const timeoutSeconds = target.headersTimeoutSeconds ?? defaultHeadersTimeoutSeconds
  const timer = setTimeout(() => abort.abort(timedOut()), timeoutSeconds * 1000)
  try {
    const body = await toOutboundBody(request, target)
    const attempt = (to: ForwardTarget) => ask(outbound, to, { body, signal: abort.signal })
    const { answer, fields } = await attempt(target).catch(async (refusal: unknown) => {
      const headers = await target.recover?.(refusal)
      if (headers === undefined) throw refusal
      if (body instanceof ReadableStream) throw repeatRequest(refusal)
      return attempt({ ...target, headers })
    })
    const init = { status: answer.status, headers: toHeaders(fields) }
    if (answer.body && !bodilessStatuses.has(answer.status) && request.method !== 'HEAD') {
      const isEventStream =
        init.headers.get('content-type')?.startsWith('text/event-stream') ?? false
      const rewriter = target.rewrite?.()
      return new Response(watchEnd(answer.body, { isEventStream, rewriter, abort, end }), init)
    }
    end('complete')
    return new Response(null, init)
  } catch (error) {
    const reason: unknown = abort.signal.aborted ? abort.signal.reason : error
    abort.abort(reason)
    end('refused')
    throw toBackendFailure(reason)
  } finally {
    clearTimeout(timer)
  }
}

/** Links the backend request to the client and to the target's signal, and unlinks it once, at the end. */
function createEnding(request: Request, target: ForwardTarget, abort: AbortController) {
  const leave = () => abort.abort(new Error('The client went away'))
  const stop = () => abort.abort(target.signal?.reason)
  request.signal.addEventListener('abort', leave)
  target.signal?.addEventListener('abort', stop)
  if (request.signal.aborted) leave()
  if (target.signal?.aborted) stop()
  let isOver = false
  return (outcome: ForwardOutcome) => {
    if (isOver) return
    isOver = true
    request.signal.removeEventListener('abort', leave)
    target.signal?.removeEventListener('abort', stop)
    if (outcome !== 'backend_failed') return target.onEnd?.(outcome)
    if (request.signal.aborted) return target.onEnd?.('client_left')
    return target.onEnd?.(target.signal?.aborted ? 'stopped' : outcome)
  }
}

/** What one attempt sends besides what its target says. */
interface Outbound {
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string | undefined
  readonly signal: AbortSignal
}

/** One attempt: the backend's answer, and the fields that the client gets. */
async function ask(outbound: typeof fetch, target: ForwardTarget, { body, signal }: Outbound) {
  const answer = await outbound(target.url, {
    method: target.method,
    headers: toHeaders(target.headers),
    redirect: 'manual',
    signal,
    ...(body && { body, duplex: 'half' }),
  })
  try {
    return { answer, fields: target.respond(answer.status, toFields(answer)) }
  } catch (refusal) {
    await answer.body?.cancel().catch(() => undefined)
    throw refusal
  }
}

/** Read whole only where it may have to be sent twice. */
async function toOutboundBody(
  request: Request,
  { body, bodyLimitBytes: limitBytes = defaultForwardLimitBytes, recover }: ForwardTarget,
): Promise<Outbound['body']> {
  if (body !== undefined) return body
  const length = readDeclaredLength(request)
  if (length > limitBytes) throw bodyTooLarge(limitBytes)
  if (!request.body) return undefined
  const isSmall = length > 0 && length <= smallBodyBytes
  if (!recover || !isSmall) return toStream(countBytes(request.body, limitBytes))
  const chunks: Uint8Array[] = []
  for await (const chunk of countBytes(request.body, smallBodyBytes)) chunks.push(chunk)
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer())
}

/** `fetch` has undone any compression, so the fields that spoke of it no longer hold. */
function toFields(answer: Response): HeaderField[] {
  const fields = [...answer.headers] as HeaderField[]
  if (!answer.headers.has('content-encoding')) return fields
  return fields.filter(([name]) => name !== 'content-encoding' && name !== 'content-length')
}

function toHeaders(fields: readonly HeaderField[]): Headers {
  const headers = new Headers()
  for (const [name, value] of fields) headers.append(name, value)
  return headers
}

/**
 * Passes a body on, unchanged unless there is a rewriter. What breaks off breaks off for the client as well,
 * but for an event stream, which ends like any other (catalogue ST-03).
 */
function watchEnd(
  body: ReadableStream<Uint8Array>,
  answer: {
    readonly isEventStream: boolean
    readonly rewriter: BodyRewriter | undefined
    readonly abort: AbortController
    readonly end: (outcome: ForwardOutcome) => void
  },
): ReadableStream<Uint8Array> {
  const { isEventStream, rewriter, abort, end } = answer
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      try {
        const value = await readRewritten(reader, rewriter)
        if (value) return controller.enqueue(value)
        const rest = rewriter?.end()
        if (rest) controller.enqueue(rest)
        end('complete')
        controller.close()
      } catch (error) {
        end('backend_failed')
        if (isEventStream) controller.close()
        else controller.error(error)
      }
    },
    cancel(reason) {
      end('client_left')
      abort.abort(reason)
    },
  })
}

/** The next bytes to send; undefined at the end. */
async function readRewritten(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  rewriter: BodyRewriter | undefined,
): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return undefined
    const sent = rewriter ? rewriter.write(value) : value
    if (sent !== undefined) return sent
  }
}

async function* countBytes(
  body: ReadableStream<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > limitBytes) throw bodyTooLarge(limitBytes)
    yield chunk
  }
}

function toStream(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) return controller.close()
      controller.enqueue(value)
    },
    async cancel() {
      await chunks.return(undefined)
    },
  })
}

function readDeclaredLength(request: Request): number {
  return Number(request.headers.get('content-length') ?? 0)
}

function timedOut(): Error {
  return Object.assign(new Error('The backend sent no header fields'), { code: 'ETIMEDOUT' })
}
