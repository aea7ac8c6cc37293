/**
 * Client metadata (RFC 7591 §2): what a client may register, validated and made honest.
 *
 * Real clients send more than they need and sometimes what we do not offer. What cannot harm is dropped or
 * replaced, and the registration answer says what is left; what a person would be shown or sent to is
 * checked and refused. Nothing is fetched (CR-17). Null and empty members count as absent.
 */
import { OAuthError } from '../errors.ts'
import { parseClientName } from './client-name.ts'
import { verifyJsonBounds } from './json-bounds.ts'
import { parseRedirectUri, redirectKind } from './redirect-uri.ts'
import { parseScope } from './scope.ts'

/** Most redirect URIs of one client; real ones register up to eight. */
const redirectUrisAllowed = 10

/** Most contacts kept, and the longest text of a contact or a version. */
const contactsAllowed = 10
const textLengthAllowed = 256

/** Longest link to a page, a logo or keys. */
const linkLengthAllowed = 2048

const grantTypesSupported = ['authorization_code', 'refresh_token']
const authMethods: readonly RegisteredAuthMethod[] = [
  'none',
  'client_secret_post',
  'client_secret_basic',
]
const linkMembers = ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'jwks_uri'] as const

/** JWK members that only a private or a symmetric key has (RFC 7518 §6). */
const privateKeyMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Ways a registered client authenticates at the token endpoint. */
export type RegisteredAuthMethod = 'none' | 'client_secret_post' | 'client_secret_basic'

/** Ways a client authenticates there; with keys, when its id is a metadata document (`client-document.ts`). */
export type ClientAuthMethod = RegisteredAuthMethod | 'private_key_jwt'

/** Registered members, wire names, as the registration answer echoes them. No member is ever null. */
export interface ClientMetadata {
  readonly client_name?: string
  readonly redirect_uris: readonly string[]
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly token_endpoint_auth_method: ClientAuthMethod
  readonly scope?: string
  readonly application_type?: 'native' | 'web'
  readonly client_uri?: string
  readonly logo_uri?: string
  readonly tos_uri?: string
  readonly policy_uri?: string
  readonly contacts?: readonly string[]
  readonly software_id?: string
  readonly software_version?: string
}

type Links = Pick<ClientMetadata, 'client_uri' | 'logo_uri' | 'tos_uri' | 'policy_uri'>

/** Members that are present: own, not null, not the empty string. */
type Members = ReadonlyMap<string, unknown>

/**
 * Reads the body of a registration.
 *
 * Unknown and privileged members (`skip_consent`, `require_pkce`, `client_id` …) are ignored (CR-12, CR-13).
 * `application_type` is kept but decides nothing: ChatGPT is `native` with https, Cursor `web` with
 * `cursor:` and loopback. Throws `invalid_redirect_uri` or `invalid_client_metadata` (CR-07).
 */
export function parseClientMetadata(body: unknown): ClientMetadata {
  const members = toMembers(body)
  verifyKeys(members)
  const metadata = {
    client_name: parseNames(members),
    redirect_uris: parseRedirectUris(members.get('redirect_uris')),
    grant_types: parseGrantTypes(members.get('grant_types')),
    response_types: parseResponseTypes(members.get('response_types')),
    token_endpoint_auth_method: resolveAuthMethod(members.get('token_endpoint_auth_method')),
    scope: parseScopeMember(members.get('scope')),
    application_type: parseApplicationType(members.get('application_type')),
    ...parseLinks(members),
    contacts: parseContacts(members.get('contacts')),
    software_id: toPlainText(members.get('software_id')),
    software_version: toPlainText(members.get('software_version')),
  }
  return withoutAbsent(metadata)
}

function toMembers(body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('The registration must be a JSON object', 'metadata_not_object')
  }
  verifyJsonBounds(body)
  return new Map(Object.entries(body).filter(([, value]) => value !== null && value !== ''))
}

function parseRedirectUris(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= redirectUrisAllowed) {
    return value.map(parseRedirectUri)
  }
  throw new OAuthError(
    'invalid_redirect_uri',
    `Member redirect_uris must list 1 to ${redirectUrisAllowed} redirect URIs`,
    { reason: 'redirect_uris_missing' },
  )
}

/**
 * Absent means both grant types, though RFC 7591 says `authorization_code` alone: clients that register the
 * minimum expect to refresh all the same. Unsupported ones are dropped (CR-14).
 */
function parseGrantTypes(value: unknown): string[] {
  const asked = parseList(value, 'grant_types')
  if (asked.length === 0) return [...grantTypesSupported]
  const kept = grantTypesSupported.filter((type) => asked.includes(type))
  if (kept.includes('authorization_code')) return kept
  throw invalid('Member grant_types must contain authorization_code', 'grant_types_unsupported')
}

function parseResponseTypes(value: unknown): string[] {
  const asked = parseList(value, 'response_types')
  if (asked.length === 0 || asked.includes('code')) return ['code']
  throw invalid('Member response_types must contain code', 'response_types_unsupported')
}

function parseList(value: unknown, member: string): string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw invalid(`Member ${member} must be a list of strings`, `${member}_malformed`)
}

/**
 * Absent is `client_secret_basic` (RFC 7591 §2), and so is a method we do not have, such as
 * `private_key_jwt`: the client gets a secret and reads in the answer how to use it. Refusing would end the
 * connection (RFC 7591 §3.2.1 lets a server replace values).
 */
function resolveAuthMethod(value: unknown): RegisteredAuthMethod {
  return authMethods.find((method) => method === value) ?? 'client_secret_basic'
}

/** Kept as sent when it is a scope at all; it limits nothing. Windsurf and mcp-remote invent theirs. */
function parseScopeMember(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return parseScope(value).length > 0 ? value : undefined
  } catch {
    return undefined
  }
}

function parseApplicationType(value: unknown): 'native' | 'web' | undefined {
  return value === 'native' || value === 'web' ? value : undefined
}

/** Names in other languages (`client_name#ja`) are checked like the name itself and not kept (CR-11). */
function parseNames(members: Members): string | undefined {
  const names = new Map<string, string>()
  for (const [member, value] of members) {
    if (isVariantOf(member, 'client_name')) names.set(member, parseClientName(value))
  }
  return names.get('client_name')
}

/** Links in other languages (`logo_uri#de`) are checked like the link itself and not kept (CR-09). */
function parseLinks(members: Members): Links {
  const links = new Map<string, string>()
  for (const [member, value] of members) {
    if (linkMembers.some((name) => isVariantOf(member, name))) {
      links.set(member, parseLink(value, member))
    }
  }
  return {
    client_uri: links.get('client_uri'),
    logo_uri: links.get('logo_uri'),
    tos_uri: links.get('tos_uri'),
    policy_uri: links.get('policy_uri'),
  }
}

function isVariantOf(member: string, name: string): boolean {
  return member.startsWith(name) && (member.length === name.length || member[name.length] === '#')
}

function parseLink(value: unknown, member: string): string {
  if (typeof value === 'string' && value.length <= linkLengthAllowed && isLink(value)) return value
  const name = /^[\w#-]{1,40}$/.test(member) ? member : 'with a link'
  throw invalid(`Member ${name} must be an https URL of plain ASCII`, 'link_refused')
}

/** An absolute https URL, or http to this machine, as a browser would read it too. */
function isLink(value: string): boolean {
  if (!/^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/.test(value) || !URL.canParse(value)) return false
  if (new URL(value).username !== '' || new URL(value).password !== '') return false
  return /^https:\/\/[^/]/i.test(value) || redirectKind(value) === 'loopback'
}

/** Contacts are for the owner's eyes; a list that is not plain text is dropped. */
function parseContacts(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > contactsAllowed)
    return undefined
  const contacts = value.flatMap((item) => toPlainText(item) ?? [])
  return contacts.length === value.length ? contacts : undefined
}

function toPlainText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > textLengthAllowed) return undefined
  return /^[\x20-\x7E]+$/.test(value) ? value : undefined
}

/** Keys are not kept: only clients with a metadata document use theirs. A leaked private key is refused (CR-16). */
function verifyKeys(members: Members): void {
  const jwks = members.get('jwks')
  if (jwks === undefined) return
  if (members.has('jwks_uri')) {
    throw invalid('Members jwks and jwks_uri exclude each other', 'jwks_twice')
  }
  if (!isKeySet(jwks)) throw invalid('Member jwks must be a JWK Set', 'jwks_malformed')
  if (isPublicKeySet(jwks)) return
  throw invalid('Member jwks must hold public keys only', 'jwks_private')
}

/** Whether a value is a JWK Set (RFC 7517 §5) without a private or a symmetric key in it. */
export function isPublicKeySet(value: unknown): value is { readonly keys: readonly unknown[] } {
  return isKeySet(value) && value.keys.every(isPublicKey)
}

function isKeySet(value: unknown): value is { readonly keys: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys)
}

function isPublicKey(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false
  return !privateKeyMembers.some((member) => Object.hasOwn(key, member))
}

/** A new object: one that members were deleted from is slow for whoever has it afterwards. */
function withoutAbsent(metadata: ClientMetadata): ClientMetadata {
  const { redirect_uris, grant_types, response_types, token_endpoint_auth_method } = metadata
  const present = Object.entries(metadata).filter(([, value]) => value !== undefined)
  return {
    ...Object.fromEntries(present),
    redirect_uris,
    grant_types,
    response_types,
    token_endpoint_auth_method,
  }
}

function invalid(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description, { reason })
}
