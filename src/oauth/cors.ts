/**
 * Cross-origin answers for endpoints that nothing ambient authorises.
 *
 * Everything they give away needs a token or a code in the request itself, so any origin may ask:
 * `*`, never with credentials, never an echoed origin (catalogue DI-09). Pages that live from cookies
 * (authorize, consent, callback) must not use this.
 */

/** Request fields every MCP client may send; further ones are allowed when a preflight names them. */
const usualRequestFields = [
  'authorization',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  'dpop',
]

/** Chromium forgets sooner than this; asking again costs a browser client a round trip. */
const preflightMaxAgeSeconds = 7200

/** Bounds on what a preflight can make us repeat. */
const askedLengthAllowed = 4096
const askedFieldsAllowed = 64

/** The fields of a cross-origin answer; `exposed` are those that a script may read. */
export function corsHeaders(exposed: readonly string[] = []): Record<string, string> {
  const allow = { 'access-control-allow-origin': '*' }
  if (exposed.length === 0) return allow
  return { ...allow, 'access-control-expose-headers': exposed.join(', ') }
}

/** Whether a browser asks for permission with this request (Fetch §3.3.3). Such a request has no credentials. */
export function isPreflight(request: Request): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.has('origin') &&
    request.headers.has('access-control-request-method')
  )
}

/** The answer to a preflight: 204, any origin, these methods, the usual fields and those it names. */
export function toPreflightAnswer(
  request: Request,
  options: { methods: readonly string[] },
): { status: number; headers: Record<string, string> } {
  const asked = parseFieldNames(request.headers.get('access-control-request-headers'))
  return {
    status: 204,
    headers: {
      ...corsHeaders(),
      'access-control-allow-methods': options.methods.join(', '),
      'access-control-allow-headers': [...new Set([...usualRequestFields, ...asked])].join(', '),
      'access-control-max-age': String(preflightMaxAgeSeconds),
      vary: 'Access-Control-Request-Headers',
    },
  }
}

function parseFieldNames(list: string | null): string[] {
  if (list === null || list.length > askedLengthAllowed) return []
  return list
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/.test(name))
    .slice(0, askedFieldsAllowed)
}
