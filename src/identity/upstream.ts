/** The contract of an identity provider. */

/** One round trip to the provider. */
export interface UpstreamFlow {
  /** Our callback, exactly as registered at the provider. */
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** Who the provider says this is. */
export interface Identity {
  /** Stable id at the provider; never an e-mail address or a login (catalogue UP-08). */
  readonly subject: string
  /** What the person is called there, for display and allow-lists. */
  readonly login: string
  readonly email?: string
  readonly emailVerified?: boolean
  readonly name?: string
  readonly tokens?: UpstreamTokens
}

/** The provider's tokens for one person. */
export interface UpstreamTokens {
  readonly accessToken: string
  readonly refreshToken?: string
  /** Unix seconds, when the provider said so. */
  readonly expiresAt?: number
}

/** An identity provider. */
export interface Upstream {
  /** Part of the callback path: `/callback/<id>`. */
  readonly id: string
  /** What people call it: `GitHub`, as in "Continue with GitHub". */
  readonly label: string
  /** Where to send the browser. */
  start(flow: UpstreamFlow): Promise<URL>
  /**
   * Trades the callback for an identity.
   *
   * @throws OAuthError `access_denied` when the person, the provider or the rules of admission refused,
   *   `temporarily_unavailable` when the provider could not be reached, `server_error` (status 502) when
   *   it answered nonsense, `invalid_request` when this is no callback of that flow (no code, wrong
   *   state, another issuer)
   */
  finish(callback: URL, flow: UpstreamFlow): Promise<Identity>
}
