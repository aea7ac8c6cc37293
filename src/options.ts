/** What an embedder hands to `createGatehouse`: live objects and plain settings, all with secure defaults. */
import type { BackendOptions } from './backend-options.ts'
import type {
  AuthInfo,
  Context,
  DevelopmentCookies,
  Guarded,
  GuardOptions,
  Lifetimes,
  RefreshRules,
  TokenResponse,
  VouchedAuthorization,
  VouchedPerson,
} from './context.ts'
import type { Applications } from './identity/applications.ts'
import type { Upstream } from './identity/upstream.ts'
import type { EndpointPathOptions } from './oauth/endpoint-paths.ts'
import type { OwnClientOptions } from './oauth/own-client.ts'
import type { ScopeHierarchy } from './oauth/scope.ts'
import type { Clock } from './platform/clock.ts'
import type { Random } from './platform/crypto.ts'
import type { FetchDocument } from './platform/pinned-fetch.ts'
import type { Audit, Limits, Log, Metrics } from './platform/ports.ts'
import type { Store } from './storage/store.ts'
import type { TokenAlgorithm } from './tokens/key-signature.ts'

/** How clients come to an id; see `docs/guides/registration-modes.md`. */
export type RegistrationOptions =
  | { mode: 'dynamic' }
  /** `clientId`: a public client that the owner registered. */
  | { mode: 'static'; clientId: string }
  /** `applications`: such as `auth0Management(…)`. */
  | { mode: 'management'; applications: Applications }
  | {
      mode: 'verify'
      /** The issuer, exactly as its tokens write it. */
      issuer: string
      /** The `aud` of its tokens, for the only backend. Default: the resource of each backend. */
      audience?: string | undefined
      /** Default: RS256, PS256, ES256, EdDSA and their longer kin. */
      algorithms?: string[] | undefined
      /** Scopes that every token must have. Default: none. */
      requiredScopes?: string[] | undefined
    }

/** Options of `createGatehouse`. Wrong ones are a `TypeError`. */
export interface GatehouseOptions {
  /** Bare origin, `https:`; `http:` on loopback only. */
  issuer: string
  backends: BackendOptions[]
  /**
   * Where the endpoints are: one by one, or all below `base`; `aliases` are served beside them. Default: at the
   * origin (`docs/guides/paths.md`).
   */
  paths?: EndpointPathOptions | undefined
  /**
   * False: the backends are served to whoever reaches them, without any of OAuth (`docs/guides/configuration.md`).
   * Default true.
   */
  oauthEnabled?: boolean | undefined
  store: Store
  /** At least 32 bytes; seals what is secret in the store. */
  masterKey: Uint8Array
  /**
   * The master key that the store is sealed with until now, once, to change it: the store's keys move
   * under `masterKey` at the start (`docs/guides/keys.md`).
   */
  previousMasterKey?: Uint8Array | undefined
  /** Scope → sentence. Default `{ mcp: 'Use <site name> on your behalf' }`. */
  scopes?: Record<string, string>
  /** Default: all of `scopes`. */
  defaultScopes?: string[]
  /** Scope → the narrower ones that it includes. Default: none includes another. */
  scopeHierarchy?: ScopeHierarchy | undefined
  lifetimes?: Partial<Lifetimes>
  refresh?: Partial<RefreshRules>
  /**
   * What signs access tokens. Default ES256. HS256 needs `hs256Secret`, and keeps an ES256 key for the assertions
   * to backends (`docs/guides/keys.md`).
   */
  signingAlgorithm?: TokenAlgorithm
  /** The secret of HS256, at least 32 bytes: whoever verifies with it can also sign. */
  hs256Secret?: Uint8Array | undefined
  /** Tokens signed with this secret are accepted as well, while the secret changes. */
  hs256SecretPrevious?: Uint8Array | undefined
  /** For how long a signing key signs, in seconds, before the next one does. Default 30 days, at least an hour. */
  signingKeyRotationSeconds?: number | undefined
  /** One-click consent without accounts. Refused unless the issuer is loopback. */
  noSignIn?: boolean
  /**
   * Serve `noSignIn` although the issuer is public or a proxy forwards to us: everyone who finds the
   * address gets in.
   */
  letAnyoneIn?: boolean
  dynamicRegistration?: boolean
  /** Clients with an id, and a secret, of the owner's choice; brought into the store at the start (H6, N1). */
  clients?: OwnClientOptions[] | undefined
  /** Default `{ mode: 'dynamic' }`. */
  registration?: RegistrationOptions | undefined
  /**
   * Whether the URL of a Client ID Metadata Document is a client id, of every host or of these
   * (`docs/guides/client-metadata-documents.md`). Default: true where clients may register for themselves.
   */
  clientMetadataDocuments?: boolean | { hosts: string[] } | undefined
  /** Give a public client that registers the same again, but for a loopback port, the same id. Default false. */
  reuseRegistrations?: boolean
  siteName?: string
  upstreams?: Upstream[]
  /** Only people whom `gatehouse users invite` named become users. Default false. */
  invitedOnly?: boolean | undefined
  /**
   * A verified e-mail address at two providers is one user. Default false: whoever gets hold of the address at
   * either provider is that user (`docs/guides/who-may-enter.md`).
   */
  linkByVerifiedEmail?: boolean | undefined
  /** Whom a person asks who may not enter: a name, an e-mail address or a page. */
  contact?: string | undefined
  /** Flags of our cookies, for development: refused unless the issuer begins with `http:`. */
  developmentCookies?: DevelopmentCookies | undefined
  /** Browsers one user may be signed in in at a time: the oldest session ends. Default 5. */
  sessionsPerUser?: number | undefined
  /** E-mail and password accounts. Default: true when there is no upstream. */
  localSignIn?: boolean
  /**
   * Age in seconds at which a person's provider is asked again, at a refresh, whether they may enter. At
   * least 60. Default: never.
   */
  reverifySeconds?: number | undefined
  /** No access token of ours outlives the provider's. Default false. */
  lifetimeFollowsUpstream?: boolean | undefined
  /** Asked by `GET /readyz`, beside the store: false while nobody should send new requests here. Default: always true. */
  isReady?: () => Promise<boolean>
  /** Start although the store belongs to another issuer: every client must connect again. */
  acceptNewIssuer?: boolean
  /**
   * Start although an upstream of the same id has another `issuer` than before: whoever has an account there under
   * the same subject gets the account here. Default false.
   */
  acceptNewProvider?: boolean
  gateBodyLimitBytes?: number
  clock?: Clock
  random?: Random
  fetch?: typeof fetch
  /**
   * Reads such documents and their keys, in place of our own reader: for machines without internet, or behind
   * a proxy. It is given addresses that strangers chose, and must not be led into your network by them.
   */
  fetchDocument?: FetchDocument | undefined
  log?: Log
  audit?: Audit
  limits?: Limits
  metrics?: Metrics
}

/** A running Gatehouse. */
export interface Gatehouse {
  /** Answers one request. `env` is what the host knows of the connection (Node: `{ incoming, outgoing }`). */
  fetch(request: Request, env?: unknown): Promise<Response>
  /** Whether a path is one of ours, so that a host can keep the others. Query and method do not matter. */
  serves(path: string): boolean
  /** Who calls an MCP endpoint that the host answers itself, or the answer that sends them away. */
  guard(request: Request, options?: GuardOptions, env?: unknown): Promise<Guarded>
  /** What the authorization server does, for the program around it (A9). */
  readonly operations: Operations
  /** The ports it was built from, for the command line and for embedders' own routes. */
  readonly context: Context
  /** A one-time link with which the first owner sets up an account; undefined once there is one. */
  createSetupLink(): Promise<string | undefined>
  /** Lets go of everything it opened itself (not of the store it was given). */
  close(): Promise<void>
}

/**
 * The operations of the authorization server without HTTP: the same rules, and refusals thrown as `OAuthError`.
 * Wire names where something is relayed to a client as it is.
 */
export interface Operations {
  /** What a client registered, wire names, without its secret; undefined when nobody knows it. */
  findClient(id: string): Promise<Record<string, unknown> | undefined>
  /**
   * Registers a client as RFC 7591 would and gives the answer it would get, with the secret once.
   *
   * @throws OAuthError `invalid_redirect_uri` or `invalid_client_metadata`, also when the id is taken
   */
  registerClient(
    metadata: Readonly<Record<string, unknown>>,
    wishes?: RegistrationWishes,
  ): Promise<Record<string, unknown>>
  /** A code for a client, for a person whom the program knows and has asked. */
  authorize(request: AuthorizationWishes, person: VouchedPerson): Promise<VouchedAuthorization>
  /** The token response for a code (RFC 6749 §4.1.3). */
  exchangeAuthorizationCode(
    request: TokenWishes & { code: string; codeVerifier?: string; redirectUri?: string },
  ): Promise<TokenResponse>
  /** The token response for a refresh token; it rotates (RFC 6749 §6). */
  exchangeRefreshToken(
    request: TokenWishes & { refreshToken: string; scope?: string },
  ): Promise<TokenResponse>
  /**
   * Who an access token stands for, as the gate would find it.
   *
   * @throws OAuthError `invalid_token`, `insufficient_scope`; `temporarily_unavailable` while that is unknown
   */
  verifyAccessToken(token: string, options?: GuardOptions): Promise<AuthInfo>
  /** Ends a token of a client, whether or not it was alive (RFC 7009). */
  revokeToken(request: TokenWishes & { token: string }): Promise<void>
  /** The counts of `/oauth/stats`, at most five seconds old (A4). */
  readStatistics(): Promise<Record<string, unknown>>
}

/** How a client is registered. */
export interface RegistrationWishes {
  /** Whether the owner vouches for it, as with `gatehouse clients add`; then it is never removed by time. Default true. */
  readonly vouched?: boolean
  /** 3 to 128 of `A-Z a-z 0-9 . _ ~ -`. Default: `mcp_` and 32 hexadecimal digits. */
  readonly id?: string
  /** For confidential clients. Default: 64 hexadecimal digits. */
  readonly secret?: string
  /** `optional` for confidential clients that send none. Default `required`. */
  readonly pkce?: 'required' | 'optional'
}

/** An authorization request. */
export interface AuthorizationWishes {
  readonly clientId: string
  readonly redirectUri: string
  /** PKCE S256. */
  readonly codeChallenge?: string
  readonly state?: string
  /** Separated by spaces. Default: the default scopes. */
  readonly scope?: string
  /** Default: the only backend's. */
  readonly resource?: string
}

/** Who asks for or gives up a token. */
export interface TokenWishes {
  readonly clientId: string
  readonly clientSecret?: string
  readonly resource?: string
}
