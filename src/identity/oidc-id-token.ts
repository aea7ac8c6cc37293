/**
 * What openid-client leaves to its callers about an ID token (OpenID Connect Core §3.1.3.7).
 *
 * It has compared `iss`, `aud`, `exp`, `nbf`, `nonce` and the algorithm by now. Here come the signature,
 * which it would take on trust from a TLS connection, `azp` beside a single audience, an `iat` in the
 * future, and `at_hash` (catalogue UP-06).
 */
import type { FindKey, OidcParty } from './oidc-documents.ts'
import type { Claims } from './oidc-options.ts'
import { nonsense, toClaimRefusal } from './provider-errors.ts'

/** An ID token that openid-client has read, and the access token that came with it. */
export interface ReceivedIdToken {
  readonly idToken: string
  readonly accessToken: string
  readonly claims: Claims
}

/**
 * Makes sure that the provider wrote this ID token, for us, now, and for this access token.
 *
 * @throws OAuthError `server_error` when it did not, `temporarily_unavailable` when its keys cannot be had
 */
export async function verifyIdToken(
  party: OidcParty,
  { idToken, accessToken, claims }: ReceivedIdToken,
): Promise<void> {
  const { label, clientId, clock, clockToleranceSeconds } = party.provider
  const algorithm = await verifySignature(party, idToken)
  if (claims.azp !== undefined && claims.azp !== clientId) throw toClaimRefusal(label, 'azp')
  if (!(Number(claims.iat) <= clock.now() + clockToleranceSeconds)) {
    throw toClaimRefusal(label, 'iat')
  }
  const { at_hash: hash } = claims
  if (hash !== undefined && hash !== (await hashLeftHalf(algorithm, accessToken))) {
    throw toClaimRefusal(label, 'at_hash')
  }
}

/** The algorithm of the signature, which is good. */
async function verifySignature(
  { provider, documents }: OidcParty,
  idToken: string,
): Promise<string> {
  const jose = await import('jose')
  const { label, clientSecret = '', idTokenAlgorithms } = provider
  const findKey = async (...[header, token]: Parameters<FindKey>) => {
    if (header?.alg === 'HS256') return new TextEncoder().encode(clientSecret)
    const find = await documents.keys.read()
    return find(header, token).catch(async (error: unknown) => {
      if (!(error instanceof jose.errors.JWKSNoMatchingKey)) throw error
      const findAmongNewer = await documents.keys.renew()
      return findAmongNewer(header, token)
    })
  }
  try {
    const { protectedHeader } = await jose.compactVerify(idToken, findKey, {
      algorithms: [...idTokenAlgorithms],
    })
    return protectedHeader.alg
  } catch (error) {
    if (error instanceof jose.errors.JWKSNoMatchingKey)
      throw nonsense(label, 'upstream_key_unknown')
    if (error instanceof jose.errors.JOSEError) {
      throw nonsense(label, 'upstream_signature_refused', error)
    }
    throw error
  }
}

/** The hash function is that of the signature; Ed25519 has SHA-512 within. */
async function hashLeftHalf(algorithm: string, text: string): Promise<string> {
  const { base64url } = await import('jose')
  const name = algorithm.endsWith('256') ? 'SHA-256' : 'SHA-512'
  const hash = new Uint8Array(await crypto.subtle.digest(name, new TextEncoder().encode(text)))
  return base64url.encode(hash.subarray(0, hash.length / 2))
}
