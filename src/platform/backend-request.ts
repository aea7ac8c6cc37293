/** Requests of our own to a backend, for what cannot be piped: the answer is ours to read while it comes. */
import type { Dispatcher } from 'undici'
import type { AskBackend, BackendAnswer, BackendRequest, HeaderField } from './exchange.ts'
import { defaultHeadersTimeoutSeconds, toBackendFailure } from './refusals.ts'

/** Asks through undici's own interface. `closing` ends every answer that is still coming. */
export function createNodeAsk(
  openAgent: () => Promise<Dispatcher>,
  closing?: AbortSignal,
): AskBackend {
  return async (request) => {
    const { url, method, headers, body } = request
    try {
      const agent = await openAgent()
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: headers.flat(),
        body: body ?? null,
        signal: joinSignals(request.signal, closing),
        headersTimeout: toTimeoutMs(request),
        bodyTimeout: 0,
      })
      // Whoever breaks off has said why; without a listener Node would call it unhandled.
      answer.body.on('error', () => {})
      return {
        status: answer.statusCode,
        headers: toFields(answer.headers),
        body: answer.body,
      } satisfies BackendAnswer
    } catch (error) {
      throw toBackendFailure(error)
    }
  }
}

function toFields(headers: Record<string, string | string[] | undefined>): HeaderField[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): HeaderField => [name.toLowerCase(), each]),
  )
}

/** Asks through `fetch`. */
export function createWebAsk(outbound: typeof fetch, closing?: AbortSignal): AskBackend {
  return async (request) => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(timedOut()), toTimeoutMs(request))
    try {
      const answer = await outbound(request.url, {
        method: request.method,
        headers: toHeaders(request.headers),
        body: request.body ?? null,
        redirect: 'manual',
        signal: joinSignals(request.signal, closing, late.signal),
      })
      const headers = [...answer.headers] as HeaderField[]
      return { status: answer.status, headers, body: answer.body ?? nothing() }
    } catch (error) {
      throw toBackendFailure(late.signal.aborted ? late.signal.reason : error)
    } finally {
      clearTimeout(timer)
    }
  }
}

function toHeaders(fields: readonly HeaderField[]): Headers {
  const headers = new Headers()
  for (const [name, value] of fields) headers.append(name, value)
  return headers
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function toTimeoutMs({ headersTimeoutSeconds = defaultHeadersTimeoutSeconds }: BackendRequest) {
  return headersTimeoutSeconds * 1000
}

function joinSignals(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined))
}

function timedOut(): Error {
  return Object.assign(new Error('The backend sent no header fields'), { code: 'ETIMEDOUT' })
}
