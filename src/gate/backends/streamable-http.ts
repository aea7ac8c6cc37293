/**
 * A Streamable HTTP backend (MCP 2025-03-26 to 2026-07-28): what the client sent, cleaned, goes to its
 * one URL, and its answer streams back.
 */
import type { RequestContext } from '../../context.ts'
import type { BodyRewriter, ForwardOutcome } from '../../platform/exchange.ts'
import { tokenEnded } from '../bearer.ts'
import { cleanRequestFields, cleanResponseFields } from '../headers.ts'
import { unwrapSessionId, wrapSessionId } from '../session-id.ts'
import { createTokenWatch } from '../token-watch.ts'
import {
  createOurFields,
  type ForwardToBackend,
  type HttpBackend,
  type OurFields,
  toTargetUrl,
  withOurs,
} from './request-fields.ts'

/** The way to one backend. */
export function createStreamableHttp(
  backend: HttpBackend,
  { find, recover }: OurFields = createOurFields(backend),
): ForwardToBackend {
  const tokens = createTokenWatch()
  return async (request, claims, context, judged = {}) => {
    const holder = { claims, backend, context }
    const cleaned = unwrapSessionId(cleanRequestFields(request.headers), holder)
    const headers = withOurs(cleaned, await find(claims, context))
    const watched = tokens.watch(claims, context, (reason) => tokenEnded(reason, backend, context))
    let rewriter: BodyRewriter | undefined
    return context.exchange.forward({
      url: toTargetUrl(request.url, backend.to),
      method: request.method,
      headers,
      ...(recover && {
        recover: (refusal: unknown) => recover(refusal, headers, { claims, context }),
      }),
      respond: (status, fields) => {
        const answered = wrapSessionId(cleanResponseFields(status, fields, backend), holder)
        context.metrics.count('gate_requests', { backend: backend.id, status: String(status) })
        rewriter = judged.announce?.inBody(status, answered)
        return rewriter ? answered.filter(([name]) => name !== 'content-length') : answered
      },
      rewrite: () => rewriter,
      ...(judged.body !== undefined && { body: judged.body }),
      signal: watched.signal,
      bodyLimitBytes: context.config.gateBodyLimitBytes,
      onEnd: (outcome) => {
        watched.release()
        noteEnd(outcome, backend, context)
      },
    })
  }
}

function noteEnd(outcome: ForwardOutcome, backend: HttpBackend, context: RequestContext): void {
  if (outcome !== 'backend_failed') return
  context.log.warn('A backend broke off its answer', {
    backend: backend.id,
    request_id: context.exchange.requestId,
  })
}
