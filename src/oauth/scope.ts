/** The algebra of scopes (RFC 6749 §3.3): what is asked for, what is granted, what a refresh may repeat. */
import { OAuthError } from '../errors.ts'

/** Longest scope parameter, in characters (AZ-16). */
const scopeLengthAllowed = 1024

/** The scope with which clients ask for a refresh token; never a permission of the resource. */
const offlineAccess = 'offline_access'

/** One scope: printable ASCII without space, quote and backslash. */
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Scope → the narrower scopes that it includes, such as `{ account: ['write'], write: ['read'] }`. */
export type ScopeHierarchy = Readonly<Record<string, readonly string[]>>

/**
 * The scopes together with every narrower one that they include (MCP authorization, Step-Up Authorization
 * Flow). Those of the list come first, in its order.
 */
export function expandScopes(
  scopes: readonly string[],
  hierarchy: ScopeHierarchy,
): ReadonlySet<string> {
  const reached = new Set(scopes)
  // A set hands out what is added while it is walked, so this ends when nothing new is reached.
  for (const scope of reached) {
    if (!Object.hasOwn(hierarchy, scope)) continue
    for (const narrower of hierarchy[scope] ?? []) reached.add(narrower)
  }
  return reached
}

/**
 * Splits a scope parameter into its scopes, each once, in order.
 *
 * Throws `invalid_scope` on characters outside RFC 6749 §3.3 and beyond 1 KB. Absent is the empty list.
 */
export function parseScope(text: string | undefined): string[] {
  if (text === undefined) return []
  if (text.length > scopeLengthAllowed) {
    throw invalidScope(`Scope is longer than ${scopeLengthAllowed} characters`, 'scope_too_long')
  }
  const scopes = text.split(' ').filter((scope) => scope !== '')
  if (!scopes.every((scope) => scopeToken.test(scope))) {
    throw invalidScope('Scope contains characters that no scope may have', 'scope_charset')
  }
  return [...new Set(scopes)]
}

/** Joins scopes the way the wire writes them. */
export function formatScope(scopes: readonly string[]): string {
  return scopes.join(' ')
}

/**
 * Settles what an authorization request asks for.
 *
 * Unknown scopes are dropped, and when none is left the defaults stand in: ChatGPT reconnects without
 * a scope and mcp-remote invents `openid email profile`. `offline_access` is kept whenever it was asked
 * for, whether or not it is listed as supported.
 */
export function resolveScope(
  requested: string | undefined,
  supported: readonly string[],
  defaults: readonly string[],
): string[] {
  const asked = parseScope(requested)
  const known = asked.filter((scope) => scope !== offlineAccess && supported.includes(scope))
  const base = known.length > 0 ? known : defaults
  const offline = asked.includes(offlineAccess) ? [offlineAccess] : []
  return [...new Set([...base, ...offline])]
}

/**
 * Of these scopes, those that a client may have.
 *
 * @param allowed a scope value, with the narrower ones that its scopes include; absent: all
 */
export function limitScopes(
  scopes: readonly string[],
  allowed: string | undefined,
  hierarchy: ScopeHierarchy = {},
): string[] {
  const limit = expandScopes(allowed === undefined ? scopes : parseScope(allowed), hierarchy)
  return scopes.filter((scope) => limit.has(scope))
}

/**
 * Settles the scopes of a refreshed access token (RFC 6749 §6).
 *
 * A subset of the grant is that subset. Scopes that the client once asked for but never got, and
 * `offline_access`, are dropped, because clients repeat their original request; anything else beyond
 * the grant is `invalid_scope`. Nothing asked, or nothing left: the whole grant.
 *
 * @param hierarchy a narrower scope that a granted one includes may be asked for in its place
 */
export function narrowScope(
  requested: readonly string[],
  granted: readonly string[],
  everRequested: readonly string[],
  hierarchy: ScopeHierarchy = {},
): string[] {
  const included = expandScopes(granted, hierarchy)
  const beyond = requested.find(
    (scope) => scope !== offlineAccess && !included.has(scope) && !everRequested.includes(scope),
  )
  if (beyond !== undefined) {
    throw invalidScope(`Scope ${beyond} is beyond what was granted`, 'scope_beyond_grant')
  }
  const kept = requested.filter((scope) => included.has(scope))
  return kept.length > 0 ? kept : [...granted]
}

function invalidScope(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_scope', description, { reason })
}
