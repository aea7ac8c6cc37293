/**
 * The endpoints that some clients take for granted where an authorization server has no metadata, as MCP
 * 2025-03-26 asked of them, and whether something is there.
 */
import type { ClientProfile } from '../profiles/profile.ts'
import { findServerMetadata, type JsonObject, parseWebUrl } from './documents.ts'
import type { Observation } from './observation.ts'
import { isNowhere } from './places.ts'
import { parseMembers, parseText } from './reading.ts'
import type { ClientVisit, SharedVisit } from './visit.ts'

/** The metadata of the authorization server as this client finds it, or as it guesses it to be. */
export function readServerMetadata(
  profile: ClientProfile,
  shared: SharedVisit,
): JsonObject | undefined {
  const found = findServerMetadata(shared, profile.discovery.serverMetadata)
  return found ?? guessEndpoints(profile, shared)
}

/** Only where a token is wanted: elsewhere nobody signs in, and nothing may be sent that a website could keep. */
function guessEndpoints(profile: ClientProfile, shared: SharedVisit): JsonObject | undefined {
  const { defaultEndpoints } = profile.discovery
  if (defaultEndpoints === undefined || !wantsToken(shared)) return undefined
  if (!isNowhere(shared, 'serverMetadata', profile)) return undefined
  const base = defaultEndpoints === 'named-server' ? parseWebUrl(shared.issuer) : shared.url
  if (base === undefined) return undefined
  return {
    authorization_endpoint: `${base.origin}/authorize`,
    token_endpoint: `${base.origin}/token`,
    registration_endpoint: `${base.origin}/register`,
  }
}

/** Whether the MCP endpoint asks for a token; an old HTTP+SSE server asks by GET alone. */
export function wantsToken({ post, get }: Pick<SharedVisit, 'post' | 'get'>): boolean {
  return [post, get].some(({ response }) => response?.status === 401)
}

/**
 * What a client came to without metadata: `right` when a registration endpoint answered where it guessed, even
 * if it refused; undefined when the client does not guess, or need not.
 */
export function findGuess(
  { profile, registration }: ClientVisit,
  shared: SharedVisit,
): 'right' | 'in-vain' | 'untried' | undefined {
  if (guessEndpoints(profile, shared) === undefined) return undefined
  if (registration === undefined) return 'untried'
  return isOfRegistration(registration) ? 'right' : 'in-vain'
}

/** Errors of a registration endpoint (RFC 7591 §3.2.2, RFC 6749); others are of whatever answers there. */
const ownErrors =
  /^(?:invalid_\w+|unapproved_software_statement|access_denied|unauthorized_client|server_error|temporarily_unavailable)$/
/** Nothing is there, or a gate in front wants a token for everything. */
const elsewhere: readonly number[] = [401, 404, 405, 410]

function isOfRegistration({ response }: Observation): boolean {
  if (response === undefined || elsewhere.includes(response.status)) return false
  if (response.status === 429) return true
  const { client_id: id, error } = parseMembers(response.json) ?? {}
  return id !== undefined || ownErrors.test(parseText(error) ?? '')
}
