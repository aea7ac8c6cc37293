/** Client assertions on the wire (RFC 7521 §4.2, RFC 7523 §2.2). */
import { OAuthError } from '../errors.ts'
import { isDocumentClientId } from './document-client-id.ts'
import type { Params } from './params.ts'

/** What assertions may be signed with; asymmetric ones alone. */
export const assertionAlgorithms = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const lengthAllowed = 8192

/** An assertion, and whom it claims to be from. */
export interface ClaimedAssertion {
  readonly assertion: string
  /** `client_id` of the request, else the subject of the assertion, which nothing has verified yet. */
  readonly id: string
}

/**
 * Reads the assertion of a request; undefined when there is none.
 *
 * @throws OAuthError `invalid_client` for another type, a malformed one, or one of another client
 */
export function parseAssertion(params: Params): ClaimedAssertion | undefined {
  const assertion = params.get('client_assertion')
  const type = params.get('client_assertion_type')
  if (assertion === undefined && type === undefined) return undefined
  if (type !== assertionType || assertion === undefined) {
    throw refuse(`client_assertion must come with client_assertion_type ${assertionType}`)
  }
  const subject = assertion.length > lengthAllowed ? undefined : readSubject(assertion)
  if (subject === undefined) throw refuse('client_assertion is malformed')
  const id = params.get('client_id') ?? subject
  if (id !== subject || !isDocumentClientId(id)) {
    throw refuse('client_assertion is not from a client that can send one')
  }
  return { assertion, id }
}

function readSubject(assertion: string): string | undefined {
  const [, payload, signature, ...more] = assertion.split('.')
  if (payload === undefined || signature === undefined || more.length > 0) return undefined
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const claims: unknown = JSON.parse(text)
    if (typeof claims !== 'object' || claims === null || !('sub' in claims)) return undefined
    return typeof claims.sub === 'string' ? claims.sub : undefined
  } catch {
    return undefined
  }
}

function refuse(description: string): OAuthError {
  return new OAuthError('invalid_client', `Invalid client: ${description}`, {
    reason: 'assertion_malformed',
  })
}
