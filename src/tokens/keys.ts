/** The key ring: which keys sign and verify tokens (RFC 7517, RFC 9068). */
import type { JWK, JWTPayload } from 'jose'

/** Signs with the current key; knows every key whose tokens may be alive. */
export interface KeyRing {
  /** The public keys, for `GET /jwks`. Never a private or symmetric member. */
  jwks(): { keys: JWK[] }
  /** A compact JWS of the claims, with `kid` and the given `typ`. */
  sign(claims: JWTPayload, typ: string): Promise<string>
  /** The verification key of a `kid` and the one algorithm it is used with. */
  find(kid: string): { key: CryptoKey; alg: string } | undefined
}
