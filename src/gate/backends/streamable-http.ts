/**
 * A Streamable HTTP backend (MCP 2025-03-26 to 2026-07-28): what the client sent, cleaned, goes to its
 * one URL, and its answer streams back.
 */
import type { Backend, RequestContext } from '../../context.ts'
import type { BodyRewriter, ForwardOutcome, HeaderField } from '../../platform/exchange.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { tokenEnded } from '../bearer.ts'
import { cleanRequestFields, cleanResponseFields } from '../headers.ts'
import { createCallerDescription } from '../identity.ts'
import type { AnnounceScopes } from '../policy/announce.ts'
import { unwrapSessionId, wrapSessionId } from '../session-id.ts'
import { createTokenWatch } from '../token-watch.ts'

/** A backend that we forward to. */
export type HttpBackend = Backend & { readonly to: URL }

/** Passes an authorised request on. */
export type ForwardToBackend = (
  request: Request,
  claims: AccessTokenClaims,
  context: RequestContext,
  screened?: Judged,
) => Promise<Response>

/** What a policy found out about a request. */
export interface Judged {
  /** Sent in place of the request's own body, which has been read. */
  readonly body?: string
  readonly announce?: AnnounceScopes
}

/** The way to one backend. */
export function createStreamableHttp(backend: HttpBackend): ForwardToBackend {
  const caller = createCallerDescription(backend)
  const { recover } = caller
  const tokens = createTokenWatch()
  return async (request, claims, context, judged = {}) => {
    const holder = { claims, backend, context }
    const cleaned = unwrapSessionId(cleanRequestFields(request.headers), holder)
    const ours = [
      ...toForwardedFields(context),
      ...(await caller.describe(claims, context)),
      ...Object.entries(backend.headers),
    ]
    const headers = withOurs(cleaned, ours)
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
        rewriter = judged.announce?.(status, answered)
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

/** Ours win over the client's. Answers come uncompressed, so that no event waits in a compressor (ST-04). */
function withOurs(cleaned: readonly HeaderField[], ours: readonly HeaderField[]): HeaderField[] {
  const names = new Set(ours.map(([name]) => name))
  const theirs = cleaned.filter(([name]) => !names.has(name))
  return [...theirs, ['accept-encoding', 'identity'], ...ours]
}

/** Where the client came to, from configuration, and from where, as the socket knows it (mcp-spec G2). */
function toForwardedFields({ config, exchange }: RequestContext): HeaderField[] {
  const { host, protocol } = new URL(config.issuer)
  const fields: HeaderField[] = [
    ['x-forwarded-host', host],
    ['x-forwarded-proto', protocol.slice(0, -1)],
  ]
  return exchange.peer === 'unknown' ? fields : [...fields, ['x-forwarded-for', exchange.peer]]
}

/** The backend's own URL with the query of the request (PX-03). A token never stands there: see `bearer.ts`. */
function toTargetUrl(requestUrl: string, to: URL): URL {
  const target = new URL(to)
  const asked = new URL(requestUrl).search.slice(1)
  target.search = [target.search.slice(1), asked].filter(Boolean).join('&')
  return target
}

function noteEnd(outcome: ForwardOutcome, backend: HttpBackend, context: RequestContext): void {
  if (outcome !== 'backend_failed') return
  context.log.warn('A backend broke off its answer', {
    backend: backend.id,
    requestId: context.exchange.requestId,
  })
}
