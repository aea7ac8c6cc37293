/**
 * Client ID Metadata Documents: what a client publishes about itself at the URL that is its client id
 * (drafts -00 to -02; MCP authorization, Client ID Metadata Documents).
 *
 * The rules of a registration hold, redirect URIs first of all. Two differ: there is no secret, because a
 * public document can share none, and keys count.
 */
import { OAuthError } from '../errors.ts'
import { type ClientMetadata, isPublicKeySet, parseClientMetadata } from './client-metadata.ts'
import { verifyJsonBounds } from './json-bounds.ts'
import { parseRedirectUri } from './redirect-uri.ts'

/** How such a client may authenticate. */
export type DocumentAuthMethod = 'none' | 'private_key_jwt'

/** Where the keys of a client are: public JWKs (RFC 7517) in the document, or at an https URL. */
export type DocumentKeys =
  | { readonly jwks: { readonly keys: readonly unknown[] } }
  | { readonly jwksUri: string }

/** What a document says, checked. */
export interface ParsedDocument {
  readonly metadata: ClientMetadata
  /** At least one; with `none` among them an assertion is welcome and not demanded. */
  readonly authMethods: readonly DocumentAuthMethod[]
  /** There if and only if `private_key_jwt` is among the methods. */
  readonly keys?: DocumentKeys
}

const methodsSupported: readonly DocumentAuthMethod[] = ['none', 'private_key_jwt']
const secretMembers = ['client_secret', 'client_secret_expires_at']
const depthAllowed = 10

/**
 * Reads a document.
 *
 * The singular and the plural of the authentication method count together: ChatGPT names `private_key_jwt` in
 * the one, `none` as well in the other, and sends no assertion. Grants we do not know are ignored.
 *
 * @param id the URL it was read from, which it must name byte for byte (draft -01 §4.1, CM-02)
 * @throws OAuthError `invalid_client_metadata` or `invalid_redirect_uri`
 */
export function parseClientDocument(id: string, text: string): ParsedDocument {
  const body = parseObject(text)
  if (body.client_id !== id) throw refuse('Its client_id is not its own address', 'id')
  if (secretMembers.some((name) => body[name] !== undefined && body[name] !== null)) {
    throw refuse('It has a client secret, which a public document cannot share', 'secret')
  }
  const metadata = parseClientMetadata({ ...body, token_endpoint_auth_method: 'none' })
  const keys = parseKeys(body)
  const authMethods = parseAuthMethods(body, keys)
  if (authMethods.length === 0) {
    const methods = 'none, or private_key_jwt with jwks or jwks_uri'
    throw refuse(`It offers no way to authenticate that can be used here: ${methods}`, 'method')
  }
  const signs = authMethods.includes('private_key_jwt')
  const token_endpoint_auth_method = authMethods.includes('none') ? 'none' : 'private_key_jwt'
  return {
    metadata: { ...metadata, token_endpoint_auth_method },
    authMethods,
    ...(signs && keys && { keys }),
  }
}

function parseObject(text: string): Record<string, unknown> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw refuse('It is not JSON', 'not_json')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refuse('It is not a JSON object', 'not_object')
  }
  verifyJsonBounds(body, depthAllowed)
  return { ...body }
}

/** Absent altogether is `none`: a document without keys can mean nothing else. Methods with a secret are none. */
function parseAuthMethods(
  body: Record<string, unknown>,
  keys: DocumentKeys | undefined,
): DocumentAuthMethod[] {
  const named = [body.token_endpoint_auth_method, body.token_endpoint_auth_methods_supported].flat()
  const given = named.filter((method) => method !== undefined && method !== null && method !== '')
  if (given.length === 0) return ['none']
  if (
    body.token_endpoint_auth_method !== undefined &&
    isSecretMethod(body.token_endpoint_auth_method)
  ) {
    throw refuse('Its token_endpoint_auth_method needs a secret', 'method')
  }
  return methodsSupported.filter(
    (method) => given.includes(method) && (method === 'none' || keys !== undefined),
  )
}

function isSecretMethod(method: unknown): boolean {
  return typeof method === 'string' && method.startsWith('client_secret')
}

/** That a set has no private keys, and that there is only one of the two, was checked with the metadata. */
function parseKeys({ jwks, jwks_uri: uri }: Record<string, unknown>): DocumentKeys | undefined {
  if (isPublicKeySet(jwks)) return { jwks: { keys: jwks.keys } }
  if (typeof uri !== 'string' || uri === '') return undefined
  if (!uri.startsWith('https://')) throw refuse('Its jwks_uri is not an https URL', 'jwks_uri')
  return { jwksUri: uri }
}

/** The document with further redirect URIs, such as {@link parseRedirectUri} accepts. */
export function addRedirectUris(document: ParsedDocument, more: readonly string[]): ParsedDocument {
  if (more.length === 0) return document
  const { metadata } = document
  const redirect_uris = [...new Set([...metadata.redirect_uris, ...more.map(parseRedirectUri)])]
  return { ...document, metadata: { ...metadata, redirect_uris } }
}

function refuse(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description, { reason: `document_${reason}` })
}
