/** What every request to a backend carries and where it goes, whichever transport it belongs to. */
import type { Backend, RequestContext } from '../../context.ts'
import type { Answer, HeaderField } from '../../platform/exchange.ts'
import type { StdioProgram } from '../../stdio-program.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { type CallerDescription, createCallerDescription } from '../identity.ts'
import type { AnnounceScopes } from '../policy/announce.ts'

/** A backend that we forward to. */
export type HttpBackend = Backend & { readonly to: URL }

/** A backend that we start ourselves. */
export type StdioBackend = Backend & { readonly program: StdioProgram }

/** What was learnt of a request before it is served. */
export interface Judged {
  /** Sent in place of the request's own body, which has been read. */
  readonly body?: string
  readonly announce?: AnnounceScopes
}

/** Serves an authorised request. */
export type ForwardToBackend = (
  request: Request,
  claims: AccessTokenClaims,
  context: RequestContext,
  judged?: Judged,
) => Promise<Answer | Response>

/** The fields that only we set: where the client came to, who it is, and those that the owner configured. */
export type FindOurFields = (
  claims: AccessTokenClaims,
  context: RequestContext,
) => Promise<readonly HeaderField[]>

/** Our fields for one backend. */
export interface OurFields {
  readonly find: FindOurFields
  /** Those of a request that the backend refused, with another token for it. */
  readonly recover?: CallerDescription['recover']
}

/** Our fields for one backend; what is remembered of callers is remembered here. */
export function createOurFields(backend: HttpBackend): OurFields {
  const { describe, recover } = createCallerDescription(backend)
  return {
    find: async (claims, context) => [
      ...toForwardedFields(context),
      ...(await describe(claims, context)),
      ...Object.entries(backend.headers),
    ],
    ...(recover && { recover }),
  }
}

/** Ours win over the client's. Answers come uncompressed, so that no event waits in a compressor (ST-04). */
export function withOurs(
  cleaned: readonly HeaderField[],
  ours: readonly HeaderField[],
): HeaderField[] {
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
export function toTargetUrl(requestUrl: string, to: URL): URL {
  const target = new URL(to)
  const asked = new URL(requestUrl).search.slice(1)
  target.search = [target.search.slice(1), asked].filter(Boolean).join('&')
  return target
}
