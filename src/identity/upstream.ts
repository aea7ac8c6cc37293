/** The contract of an identity provider. */

/** One round trip to the provider. */
export interface UpstreamFlow {
  /** Our callback, exactly as registered at the provider. */
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /**
   * The application at the provider in whose name the person is asked, without a secret (`Applications`).
   * Absent: the provider's one client. A provider that knows no such applications ignores it.
   */
  readonly application?: string | undefined
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
  /** What rules of admission may look at besides; decided on at once and never stored. */
  readonly memberships?: Memberships
  readonly tokens?: UpstreamTokens
}

/** Where a person belongs, as the provider says. Absent: the provider was not asked or does not say. */
export interface Memberships {
  /** GitHub organisations, lower case. */
  readonly organizations?: readonly string[]
  /** GitHub teams, as `organisation/team`, lower case. */
  readonly teams?: readonly string[]
  /** Tenant of Entra (`tid`), organisation of Auth0 (`org_id`), hosted domain of Google (`hd`). */
  readonly tenant?: string
  /** The claims of the ID token (or the profile), for rules about groups, roles and anything else. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** The provider's tokens for one person. */
export interface UpstreamTokens {
  readonly accessToken: string
  readonly refreshToken?: string
  /** Unix seconds, when the provider said so. */
  readonly expiresAt?: number
  /** Unix seconds after which the refresh token is dead, when the provider said so. */
  readonly refreshExpiresAt?: number
  /** The application that they were given to, which alone can use them. Absent: the provider's one client. */
  readonly application?: string
}

/** An identity provider. */
export interface Upstream {
  /** Part of the callback path: `/callback/<id>`. */
  readonly id: string
  /** What people call it: `GitHub`, as in "Continue with GitHub". */
  readonly label: string
  /**
   * Within what its subjects are unique: its OpenID issuer, or the address of its API. Written down at the first
   * start, and every later one is held to it, because the same subject elsewhere is another person (UP-08).
   * Absent: it is not looked at.
   */
  readonly issuer?: string
  /** Path of its callback below the issuer. Default: `/callback/<id>`. */
  readonly callbackPath?: string
  /** Where to send the browser. */
  start(flow: UpstreamFlow, wishes?: SignInWishes): Promise<URL>
  /**
   * Trades the callback for an identity.
   *
   * @throws OAuthError `access_denied` when the person, the provider or the rules of admission refused,
   *   `temporarily_unavailable` when the provider could not be reached, `server_error` (status 502) when
   *   it answered nonsense, `invalid_request` when this is no callback of that flow (no code, wrong
   *   state, another issuer)
   */
  finish(callback: URL, flow: UpstreamFlow): Promise<Identity>
  /**
   * New tokens for old ones. Absent where the provider issues no refresh tokens. A refresh token that the
   * answer does not replace stays.
   *
   * @throws OAuthError `invalid_grant` when the provider says for good that there are none,
   *   `temporarily_unavailable` for everything that may pass
   */
  refresh?(tokens: UpstreamTokens & { readonly refreshToken: string }): Promise<UpstreamTokens>
  /**
   * Who the person is now, admitted anew. Absent where nothing can be asked later. Tokens in the answer, when
   * asking spent the refresh token, replace those that are kept.
   *
   * @param onRenewed told of new tokens that the question cost the old ones, before anything is thought of the
   *   answer: they count even when the person may no longer enter or the answer is unusable
   * @throws OAuthError `access_denied` when they may no longer enter, `invalid_grant` when the access token
   *   is dead, `temporarily_unavailable` when the provider cannot be asked
   */
  reverify?(
    tokens: UpstreamTokens,
    onRenewed?: (renewed: UpstreamTokens) => void,
  ): Promise<Identity>
  /**
   * Ends what the tokens stand for, where the provider has an endpoint for it. A token that is dead
   * already counts as revoked.
   *
   * @throws OAuthError `temporarily_unavailable` when it must be tried again
   */
  revoke?(tokens: UpstreamTokens): Promise<void>
  /**
   * What would make every sign-in fail, found out at the start: an issuer that is another, credentials that
   * are refused, a callback that is not registered. Undefined when nothing is known to be wrong, which
   * includes a provider that cannot be reached.
   */
  findProblem?(callbackUri: string): Promise<string | undefined>
}

/** What is wanted of the sign-in page of the provider. */
export interface SignInWishes {
  /** Ask the person anew, even when the provider knows them (`prompt=login`, `select_account`). */
  readonly fresh?: boolean
}
