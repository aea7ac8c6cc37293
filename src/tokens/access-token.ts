/** Access tokens: JWTs of the RFC 9068 profile, audience = one resource. */

/** What an access token says. */
export interface AccessTokenClaims {
  readonly iss: string
  /** User id. */
  readonly sub: string
  /** The canonical resource. */
  readonly aud: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly scope: string
  /** Grant id, opaque to everyone else. */
  readonly gid: string
}

/** Mints and verifies access tokens. */
export interface AccessTokens {
  /** Signs a token that lives from now for `lifetimeSeconds`. */
  mint(
    claims: Pick<AccessTokenClaims, 'sub' | 'aud' | 'client_id' | 'scope' | 'gid'>,
    lifetimeSeconds: number,
  ): Promise<string>
  /**
   * Checks signature, `typ`, issuer, times and all claims, but not audience and revocation.
   * Verified tokens are remembered by their SHA-256 until they expire.
   *
   * @throws OAuthError `invalid_token`; `temporarily_unavailable` never: everything needed is in memory
   */
  verify(token: string): Promise<AccessTokenClaims>
}
