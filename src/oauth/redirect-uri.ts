/**
 * Redirect URIs: what a client may register, what a request may name, and where a browser is sent.
 *
 * Three kinds are accepted: `https` to any host, `http` to this machine, and private-use schemes
 * (RFC 8252 §7.1), with or without a dot because Cursor, VS Code and Claude use `cursor:`, `vscode:`
 * and `claude:`. URIs are kept and compared as raw strings (RFC 9700 §4.1.3, RD-02), so one that a browser
 * would read as another URI than the one written down is refused at registration.
 */
import { OAuthError } from '../errors.ts'
import type { Params } from './params.ts'
import { reservedSchemes } from './reserved-schemes.ts'

/** Longest redirect URI, in characters, all of them ASCII (CR-08). */
const uriLengthAllowed = 2048

/** Longest `state`, in bytes of UTF-8 (AZ-14). */
const stateBytesAllowed = 1024

/** Parameters that the answer alone may set; a registered query cannot speak for us (AZ-21). */
const answerParameters = new Set([
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'error_uri',
])

/** Scheme, authority (undefined in `app:/callback`), path, query. RFC 3986 appendix B without fragment. */
const uriParts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?$/i

/** Origin of an http URI to this machine, its port, and the rest. */
const loopbackUri =
  /^(http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]))(?::(\d{1,5}))?((?:[/?].*)?)$/i

/** Where a redirect URI leads: to a web site, to this machine by http, or to an app by its scheme. */
export type RedirectKind = 'https' | 'loopback' | 'private-use'

/**
 * A redirect URI that was checked against its client, with the state to give back.
 *
 * {@link trustRedirect} alone makes these; whoever sends a browser somewhere takes nothing else (AZ-02).
 */
export interface TrustedRedirect {
  readonly uri: string
  readonly state: string | undefined
  readonly kind: RedirectKind
  /** Whether an error may go there before the person has acted: the owner knows it, or it is this machine. */
  readonly vouched: boolean
}

/** What is known of a client when its redirect URI is checked. */
export interface RedirectingClient {
  readonly redirectUris: readonly string[]
  /** Whether the owner of this server registered it. */
  readonly vouched: boolean
}

const minted = new WeakSet<object>()

/**
 * Checks a redirect URI at registration and returns it unchanged.
 *
 * Throws `invalid_redirect_uri`, naming the URI, for: characters that no URI has or that browsers strip or
 * rewrite, and reserved schemes such as `javascript` (CR-01); a fragment, userinfo or a missing host (CR-03);
 * a wildcard in the host (CR-04); dot segments, backslashes and path parameters (CR-05).
 */
export function parseRedirectUri(raw: unknown): string {
  if (typeof raw !== 'string') throw refuse(`of type ${typeof raw}`, 'is not a string')
  if (raw.length > uriLengthAllowed)
    throw refuse(raw, `is longer than ${uriLengthAllowed} characters`)
  if (raw.includes('#')) throw refuse(raw, 'has a fragment')
  if (!/^(?:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/.test(raw)) {
    throw refuse(raw, 'has characters that a URI cannot have')
  }
  const [, scheme = '', authority, path = ''] = uriParts.exec(raw) ?? []
  if (scheme === '') throw refuse(raw, 'is not an absolute URI')
  if (authority?.includes('@')) throw refuse(raw, 'has user information')
  if (authority?.includes('*')) throw refuse(raw, 'has a wildcard in its host')
  if (/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) throw refuse(raw, 'has dot segments')
  if (path.includes(';')) throw refuse(raw, 'has path parameters')
  verifyScheme(raw, scheme.toLowerCase(), authority)
  return raw
}

/**
 * Finds the registered URI that a request means and returns it as requested.
 *
 * Exact string comparison (RD-02, RD-06), with one exception: for http to this machine the port is free
 * (RFC 8252 §7.3, RD-04) and an empty path equals `/` (VS Code). `localhost`, `127.0.0.1` and `[::1]`
 * are different hosts (RD-05). It may be left out when exactly one is registered (RD-07).
 * Throws `invalid_request`, to be shown on a page and never sent to the URI.
 */
export function matchRedirectUri(
  requested: string | undefined,
  registered: readonly string[],
): string {
  const [only, ...others] = registered
  if (requested === undefined && only !== undefined && others.length === 0) return only
  if (requested === undefined) {
    throw new OAuthError('invalid_request', 'Parameter "redirect_uri" is missing', {
      reason: 'redirect_uri_missing',
    })
  }
  const wanted = toPortless(requested)
  if (registered.some((uri) => toPortless(uri) === wanted)) return requested
  throw new OAuthError(
    'invalid_request',
    `Redirect URI ${toReadable(requested)} is not registered for this client; remove the connection and add it again`,
    { reason: 'redirect_uri_mismatch' },
  )
}

/**
 * Writes what a redirect URI is compared by: those with the same are good for one another.
 *
 * That is the URI itself, but for http to this machine: there the port is left out and an empty path is `/`.
 */
export function toPortless(uri: string): string {
  const [, origin, port = '0', rest] = loopbackUri.exec(uri) ?? []
  return origin === undefined || Number(port) > 65_535 ? uri : origin + (rest || '/')
}

/** Tells where a registered redirect URI leads. */
export function redirectKind(uri: string): RedirectKind {
  if (/^https:/i.test(uri)) return 'https'
  return loopbackUri.test(uri) ? 'loopback' : 'private-use'
}

/**
 * Names the place a registered redirect URI leads to, for people: the host, in its ASCII form and with
 * its port, or the scheme of an app (`cursor`).
 */
export function redirectHost(uri: string): string {
  const url = new URL(uri)
  return redirectKind(uri) === 'private-use' ? url.protocol.slice(0, -1) : url.host
}

/**
 * Checks the redirect URI of a request and vouches for the result.
 *
 * Called again with what the flow remembers before a code is sent (AZ-03). Throws as {@link matchRedirectUri}.
 */
export function trustRedirect(
  requested: string | undefined,
  client: RedirectingClient,
  state: string | undefined,
): TrustedRedirect {
  const uri = matchRedirectUri(requested, client.redirectUris)
  const kind = redirectKind(uri)
  const vouched = client.vouched || kind === 'loopback'
  const target: TrustedRedirect = Object.freeze({ uri, state, kind, vouched })
  minted.add(target)
  return target
}

/** Whether a value was made by {@link trustRedirect}; a copy of one was not. */
export function isTrustedRedirect(value: unknown): value is TrustedRedirect {
  return typeof value === 'object' && value !== null && minted.has(value)
}

/**
 * Writes the `Location` of an authorization response: the URI, its own query byte for byte (AZ-22), then
 * `params` and the state.
 *
 * Parameters named like ours are dropped from the registered query, so that there is exactly one `iss`
 * (RFC 9207, AZ-21). Throws a TypeError for a target that {@link trustRedirect} did not make.
 */
export function toRedirectLocation(
  target: TrustedRedirect,
  params: Readonly<Record<string, string | undefined>>,
): string {
  if (!isTrustedRedirect(target)) throw new TypeError('The redirect target was never verified')
  const mark = target.uri.indexOf('?')
  const base = mark < 0 ? target.uri : target.uri.slice(0, mark)
  const query = mark < 0 ? '' : target.uri.slice(mark + 1)
  const kept = query === '' ? [] : query.split('&').filter(isForeignPair)
  const added = Object.entries({ ...params, state: target.state }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  )
  return `${base}?${[...kept, ...added].join('&')}`
}

/** Reads `state`, to be given back unchanged; `invalid_request` beyond 1 KB (AZ-14). */
export function parseState(params: Params): string | undefined {
  const state = params.get('state')
  if (state === undefined || new TextEncoder().encode(state).length <= stateBytesAllowed)
    return state
  throw new OAuthError(
    'invalid_request',
    `Parameter "state" is longer than ${stateBytesAllowed} bytes`,
    { reason: 'state_too_long' },
  )
}

function isForeignPair(pair: string): boolean {
  const [name] = new URLSearchParams(pair).keys()
  return name === undefined || !answerParameters.has(name)
}

function verifyScheme(raw: string, scheme: string, authority: string | undefined): void {
  if (scheme === 'https' || scheme === 'http') {
    verifyHost(raw, authority ?? '')
    if (scheme === 'https' || redirectKind(raw) === 'loopback') return
    throw refuse(raw, 'must use https, or http to localhost, 127.0.0.1 or [::1]')
  }
  if (reservedSchemes.has(scheme)) throw refuse(raw, `has the reserved scheme ${scheme}`)
  const rest = raw.slice(scheme.length)
  if (!rest.startsWith(':/')) throw refuse(raw, `must continue with a slash after ${scheme}:`)
  if (!URL.canParse(raw) || new URL(raw).href.slice(scheme.length) !== rest) {
    throw refuse(raw, 'is not written in its plain form')
  }
}

/** A host that a browser reads as another one, such as `0x7f.1` or `%65vil.example`, is refused. */
function verifyHost(raw: string, authority: string): void {
  const host = authority.replace(/:(?:0|[1-9]\d{0,4})$/, '').toLowerCase()
  if (host === '') throw refuse(raw, 'has no host')
  if (URL.parse(raw)?.hostname === host) return
  throw refuse(raw, 'has a host that is not written in its plain form')
}

function refuse(uri: string, why: string): OAuthError {
  return new OAuthError('invalid_redirect_uri', `Redirect URI ${toReadable(uri)} ${why}`, {
    reason: 'redirect_uri_refused',
  })
}

/** What a stranger wrote, safe to repeat in an error description (RFC 6749 §5.2 charset). */
function toReadable(uri: string): string {
  const plain = uri.slice(0, 200).replace(/[^\x21\x23-\x5B\x5D-\x7E]/g, '?')
  return uri.length > 200 ? `${plain}...` : plain
}
