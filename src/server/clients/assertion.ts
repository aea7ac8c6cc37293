/**
 * Client assertions: `private_key_jwt` of clients with a metadata document (RFC 7523 §3, OAuth 2.1 §2.4.2).
 *
 * Good for us alone, for five minutes at most, and once (catalogue TK-14 to TK-16).
 */
import type { JWTPayload } from 'jose'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { JOSEError } from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import type { RequestContext } from '../../context.ts'
import { assertionAlgorithms } from '../../oauth/client-assertion.ts'
import { sha256 } from '../../platform/crypto.ts'
import { usedAssertions } from '../../storage/records/assertion.ts'
import type { Client } from '../../storage/records/client.ts'
import { findClientKeys } from './document-keys.ts'

/** Longest lifetime of an assertion, and how far the client's clock may be off, in seconds (TK-16). */
const longestSeconds = 300
const skewSeconds = 30

const jtiLengthAllowed = 512

/**
 * Whether an assertion proves this client, for the first time.
 *
 * Writes down that it was used: one commit, whose failed condition is the proof of a replay on any instance.
 *
 * @throws OAuthError `temporarily_unavailable` when the client's keys cannot be read: nobody forgets a client
 *   because its web site is down
 */
export async function verifyAssertion(
  assertion: string,
  client: Client,
  context: RequestContext,
): Promise<boolean> {
  if (!client.document?.authMethods.includes('private_key_jwt')) return false
  const payload = await findPayload(assertion, client, context)
  if (!payload || !isForUs(payload.aud, context) || !isTimely(payload, context)) return false
  const { jti, exp = 0 } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > jtiLengthAllowed) return false
  const key = usedAssertions.key(sha256(`${client.id} ${jti}`))
  return context.store.commit({
    check: [{ key, version: null }],
    set: [usedAssertions.write(key, { at: context.clock.now() }, toMarkEnd(exp))],
  })
}

/** Times of a JWT may have fractions (RFC 7519 §2), those of the store have none. */
function toMarkEnd(exp: number): number {
  return Math.ceil(exp) + skewSeconds + 1
}

/** The claims, when the client signed them: issuer and subject are the client itself. */
async function findPayload(
  assertion: string,
  client: Client,
  context: RequestContext,
): Promise<JWTPayload | undefined> {
  try {
    const { kid } = decodeProtectedHeader(assertion)
    const keys = await findClientKeys(client, kid, context)
    if (!keys) return undefined
    const { payload } = await jwtVerify(assertion, keys, {
      algorithms: [...assertionAlgorithms],
      issuer: client.id,
      subject: client.id,
      requiredClaims: ['exp', 'jti', 'aud'],
      currentDate: new Date(context.clock.now() * 1000),
      clockTolerance: skewSeconds,
    })
    return payload
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

/** A malformed header is a TypeError of the library's, a key that is none a DOMException of Web Crypto. */
function isRefusal(error: unknown): boolean {
  return error instanceof JOSEError || error instanceof TypeError || error instanceof DOMException
}

/** Our issuer or our token endpoint, and nobody else's beside it (RFC 7523bis, TK-15). */
function isForUs(audience: JWTPayload['aud'], { config }: RequestContext): boolean {
  const ours = [config.issuer, config.issuer + config.paths.token]
  const named = [audience ?? []].flat()
  return named.length > 0 && named.every((one) => ours.includes(one))
}

function isTimely({ exp = 0, iat }: JWTPayload, { clock }: RequestContext): boolean {
  const now = clock.now()
  const latest = now + longestSeconds + skewSeconds
  return (
    exp <= latest &&
    (iat === undefined || (iat <= now + skewSeconds && exp - iat <= longestSeconds))
  )
}
