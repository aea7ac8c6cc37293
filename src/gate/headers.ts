/**
 * Header hygiene: which fields of a client reach a backend, and which of a backend reach a client.
 * Pure functions over lists of fields with lower-case names (catalogue §14, mcp-spec G1-G3).
 */
import type { Backend } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { corsHeaders } from '../oauth/cors.ts'
import type { HeaderField } from '../platform/exchange.ts'
import { exposedFields } from './refusal.ts'

/** RFC 9110 §7.6.1, and what belongs to one connection or framing by nature. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/**
 * What a client may not tell a backend: its credentials (RS-07), who it is (RS-20), where it came from
 * (EN-02), another method (RS-09); and what only a browser or this hop needs.
 */
const withheld: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'cookie2',
  'dpop',
  'host',
  'content-length',
  'expect',
  'accept-encoding',
  'origin',
  'referer',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'client-ip',
  'from',
  'x-user',
  'x-user-id',
  'x-username',
  'x-email',
  'x-scope',
  'x-scopes',
  'x-client-id',
  'x-method-override',
  'x-rewrite-url',
])
const withheldPrefixes = [
  'proxy-',
  'access-control-',
  'sec-',
  'x-forwarded-',
  'x-auth-',
  'x-authenticated-',
  'x-gatehouse-',
  'x-remote-',
  'remote-',
  'x-original-',
  'x-http-method',
  'x-webauth-',
  'x-goog-authenticated-',
  'x-goog-iap-',
  'x-amzn-oidc-',
  'x-ms-client-',
  'x-ms-token-',
  'x-pomerium-',
  'x-authentik-',
  'x-ssl-client-',
  'ssl-client-',
  'cf-access-',
  'cf-connecting-',
]

/** `Mcp-Param-*` names come from tool schemas and are passed on as they are (mcp-spec T17). */
const parameterPrefix = 'mcp-param-'

/**
 * The client's fields that a backend gets; our own are added afterwards, so nothing a client names in
 * `Connection` can remove them (PX-02).
 *
 * Names with `_` are dropped: servers that fold `_` and `-` would take them for the real ones.
 *
 * @throws OAuthError `invalid_request` for a value that could leave its line (PX-05)
 */
export function cleanRequestFields(fields: Iterable<HeaderField>): HeaderField[] {
  const all = [...fields]
  const named = parseConnectionOptions(all)
  const kept = all.filter(([name]) => !named.has(name) && isForBackend(name))
  for (const [name, value] of kept) {
    if (!/[\0\r\n]|[^\0-\xff]/.test(value)) continue
    throw new OAuthError('invalid_request', `The value of the ${name} header is malformed`, {
      reason: 'header_malformed',
    })
  }
  return kept
}

function isForBackend(name: string): boolean {
  if (name.startsWith(parameterPrefix)) return true
  if (name.includes('_') || hopByHop.has(name) || withheld.has(name)) return false
  return !withheldPrefixes.some((prefix) => name.startsWith(prefix))
}

/** Fields of a backend that would act on our origin, or point the client at another server. */
const backendWithheld: ReadonlySet<string> = new Set([
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'set-cookie',
  'set-cookie2',
  'clear-site-data',
  'strict-transport-security',
  'alt-svc',
  'refresh',
  'service-worker-allowed',
])

/** The reason of a 401 or 407 of the backend. */
export const backendUnauthorized = 'backend_unauthorized'

/**
 * The backend's fields that a client gets, and ours.
 *
 * Challenges stay here, since they name the wrong authorization server (G3); so do CORS fields, which
 * are ours to set, and cookies: MCP clients keep none, and a browser would put them beside our own
 * sessions. A 401 or 407 of the backend is about our credentials there, and a redirect away from its
 * endpoint would show the client where it is: both are answered 502 (G3, PX-08).
 *
 * @throws OAuthError `temporarily_unavailable` with status 502 when the answer must not be passed on
 */
export function cleanResponseFields(
  status: number,
  fields: readonly HeaderField[],
  backend: Backend & { readonly to: URL },
): HeaderField[] {
  const unauthorized = findBackendRefusal(status)
  if (unauthorized) throw unauthorized
  const named = parseConnectionOptions(fields)
  const kept = fields.filter(([name]) => !named.has(name) && isForClient(name))
  const answered = kept.map(
    ([name, value]): HeaderField =>
      name === 'location' ? [name, toPublicLocation(value, backend)] : [name, value],
  )
  return [...withCacheRules(answered), ...Object.entries(corsHeaders(exposedFields))]
}

/** What a client is told when the backend wants other credentials than those it got; undefined when it does not. */
export function findBackendRefusal(status: number): OAuthError | undefined {
  return status === 401 || status === 407 ? backendRefused(backendUnauthorized) : undefined
}

function isForClient(name: string): boolean {
  return !hopByHop.has(name) && !backendWithheld.has(name) && !name.startsWith('access-control-')
}

/** Streams must not be held back (ST-04); nothing authorised may be stored unless the backend says so (RS-22). */
function withCacheRules(fields: readonly HeaderField[]): HeaderField[] {
  const find = (wanted: string) => fields.find(([name]) => name === wanted)?.[1]
  const vary: HeaderField = ['vary', [find('vary'), 'Authorization'].filter(Boolean).join(', ')]
  const others = fields.filter(([name]) => name !== 'vary')
  if (find('content-type')?.toLowerCase().startsWith('text/event-stream'))
    return [
      ...others.filter(([name]) => name !== 'cache-control' && name !== 'x-accel-buffering'),
      vary,
      ['cache-control', 'no-cache, no-transform'],
      ['x-accel-buffering', 'no'],
    ]
  if (find('cache-control') !== undefined) return [...others, vary]
  return [...others, vary, ['cache-control', 'no-store, private']]
}

function toPublicLocation(location: string, backend: Backend & { readonly to: URL }): string {
  const { to, resource } = backend
  const target = URL.canParse(location, to) ? new URL(location, to) : undefined
  if (target?.origin !== to.origin || target.pathname !== to.pathname)
    throw backendRefused('backend_redirected')
  return resource + target.search
}

function backendRefused(reason: string): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'The MCP server refused the gateway; try later',
    {
      status: 502,
      reason,
      retryAfterSeconds: 30,
    },
  )
}

function parseConnectionOptions(fields: readonly HeaderField[]): ReadonlySet<string> {
  const options = fields.flatMap(([name, value]) => (name === 'connection' ? value.split(',') : []))
  return new Set(options.map((option) => option.trim().toLowerCase()))
}
