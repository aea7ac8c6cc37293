/** All that a handler may reach, as ports and types. Built once by `gatehouse.ts`, then frozen. */
import type { Applications } from './identity/applications.ts'
import type { Custody } from './identity/custody.ts'
import type { Sessions } from './identity/sessions.ts'
import type { Identity, Upstream } from './identity/upstream.ts'
import type { Users } from './identity/users.ts'
import type { EndpointPaths } from './oauth/endpoint-paths.ts'
import type { Policy } from './oauth/policy.ts'
import type { ScopeHierarchy } from './oauth/scope.ts'
import type { Clock } from './platform/clock.ts'
import type { Random } from './platform/crypto.ts'
import type { DocumentReader } from './platform/document-reader.ts'
import type { Answer, Exchange } from './platform/exchange.ts'
import type { Audit, Limits, Log, Metrics } from './platform/ports.ts'
import type { Programs } from './platform/programs.ts'
import type { StdioProgram } from './stdio-program.ts'
import type { Sealer } from './storage/sealer.ts'
import type { Store } from './storage/store.ts'
import type { AccessTokens } from './tokens/access-token.ts'
import type { TokenAlgorithm } from './tokens/key-signature.ts'
import type { KeyRing } from './tokens/keys.ts'
import type { Revocations } from './tokens/revocations.ts'

/** One MCP server behind us. */
export interface Backend {
  /** Short name, unique: `[a-z0-9-]+`. */
  readonly id: string
  /** Shown to people and in the protected-resource metadata. */
  readonly name: string
  /** Where clients reach it below the issuer, such as `/mcp`. */
  readonly path: string
  /** Issuer + path: the one canonical string of RFC 8707, in `aud` and in the metadata. */
  readonly resource: string
  /** Its MCP endpoint: for `sse` the URL of its event stream. Absent when it verifies tokens itself and only needs the server. */
  readonly to?: URL
  /** The program that it is, when it is none that listens somewhere. */
  readonly program?: StdioProgram
  /** What it speaks: Streamable HTTP, or HTTP+SSE (MCP 2024-11-05). Default `streamable-http`. */
  readonly transport?: 'streamable-http' | 'sse'
  /** Where clients of HTTP+SSE open their stream, such as `/mcp/sse`; may be `path` itself. Absent: nowhere. */
  readonly ssePath?: string
  /** The one way to sign in that counts for it: the id of a provider, or `local`. Default: all that are configured. */
  readonly signInWith?: string
  /** What it is told about the user: nothing, `X-Forwarded-User`-style headers, or a signed JWT. */
  readonly identity: 'none' | 'headers' | 'assertion'
  /** `upstream-token`: it also gets the access token of the provider that the user signed in with (design decision 8). */
  readonly forward?: 'upstream-token'
  /** Header fields added to every request, such as its own API key. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Which scopes its operations need. Absent: every token for it may do everything there. */
  readonly policy?: Policy
}

/** Lifetimes, all in seconds. */
export interface Lifetimes {
  /** Authorization code. Default 60, at most 600. */
  readonly codeSeconds: number
  /** Access token. Default 3 600. */
  readonly accessTokenSeconds: number
  /** Refresh token without use. Default 30 days. */
  readonly refreshIdleSeconds: number
  /** Grant as a whole. Default 365 days. */
  readonly refreshAbsoluteSeconds: number
  /** Sign-in and consent, from /authorize to the code. Default 600. */
  readonly flowSeconds: number
  /** Browser sign-in session. Default 86 400. */
  readonly sessionSeconds: number
}

/** Rules of refresh (design §1, catalogue P3). */
export interface RefreshRules {
  /** The predecessor always gets the same successor within this time of the rotation. Default 120. */
  readonly graceSeconds: number
  /** … and until this time while neither the successor nor its access token was used. Default 86 400; 300 where use cannot be seen. */
  readonly lostResponseSeconds: number
  /** What a token older than that does. Default `revoke`. */
  readonly onReuse: 'revoke' | 'refuse'
}

/**
 * How clients come to an id (R2). `dynamic`: each registers for itself. `static`: all get the one that the
 * owner registered. `management`: each also becomes an application at the identity provider. `verify`: the
 * identity provider registers clients and issues tokens, and only the gate is ours (R8).
 */
export type Registration =
  | { readonly mode: 'dynamic' | 'management' }
  | { readonly mode: 'static'; readonly clientId: string }
  | ({ readonly mode: 'verify' } & ForeignIssuer)

/** Who issues the access tokens in verify mode, and what is asked of them. */
export interface ForeignIssuer {
  /** As its tokens and its metadata write it, byte for byte. */
  readonly issuer: string
  /** The `aud` of tokens for the only backend. Absent: the resource of each backend. */
  readonly audience?: string
  /** Signature algorithms accepted; asymmetric ones alone. */
  readonly algorithms: readonly string[]
  /** Scopes that every token must have. */
  readonly requiredScopes: readonly string[]
}

/** The effective configuration. */
export interface Config {
  /** Bare origin: the identity of this server, byte for byte (catalogue P1). */
  readonly issuer: string
  /** Where the endpoints are below the issuer. */
  readonly paths: EndpointPaths
  readonly backends: readonly Backend[]
  /** Other names of resources, by which clients of HTTP+SSE know them. */
  readonly resourceAliases?: ReadonlyMap<string, string>
  /** Scope → the sentence a person reads. `offline_access` is added by the server itself. */
  readonly scopes: Readonly<Record<string, string>>
  /** Granted when the request names none that exists. */
  readonly defaultScopes: readonly string[]
  /** What signs access tokens. */
  readonly signingAlgorithm: TokenAlgorithm
  /** Scope → the narrower ones that it includes. Absent: none includes another. */
  readonly scopeHierarchy?: ScopeHierarchy
  readonly lifetimes: Lifetimes
  readonly refresh: RefreshRules
  /** Whether a backend is reached with an access token only (A1). */
  readonly oauthEnabled: boolean
  /** Nobody signs in; consent is one click. Loopback issuer only. */
  readonly noSignIn: boolean
  /** `noSignIn` also for requests that came through a proxy: everyone who finds the address gets in. */
  readonly letAnyoneIn: boolean
  /** Whether anyone may register a client (RFC 7591). Default true. */
  readonly dynamicRegistration: boolean
  readonly registration: Registration
  /** Whose metadata documents are read as clients: of every host, or of these. Absent: nobody's. */
  readonly clientMetadataDocuments?: { readonly hosts?: readonly string[] }
  /** Whether a public client that registers exactly the same again gets the same id. Default false. */
  readonly reuseRegistrations: boolean
  /** Shown on pages: what people connect to. Default: the only backend's name, else the issuer's host. */
  readonly siteName: string
  /** Whom a refused person asks: a name, an e-mail address, a page. Default: the owner, unnamed. */
  readonly contact?: string
  /** Whether only invited people may sign in for the first time. Default false. */
  readonly invitedOnly?: boolean
  /** Whether one verified e-mail address at two providers is one user. Default false: it invites takeovers. */
  readonly linkByVerifiedEmail?: boolean
  /** Age in seconds at which a provider is asked again whether a person may enter. Default: never. */
  readonly reverifySeconds?: number
  /** Whether our access tokens end with the provider's. Default false. */
  readonly lifetimeFollowsUpstream: boolean
  /** Browsers one user may be signed in in at a time. */
  readonly sessionsPerUser: number
  /** Flags of our cookies, for development at a plain-text issuer. */
  readonly developmentCookies?: DevelopmentCookies
  /** Largest request body the gate passes on, in bytes. Default 4 MiB. */
  readonly gateBodyLimitBytes: number
}

/** How cookies differ from what is safe, on a developer's own machine (S6). */
export interface DevelopmentCookies {
  /** Default false, as the issuer is plain text. */
  readonly secure?: boolean | undefined
  /** Default `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
}

/** What handlers reach. */
export interface Context {
  readonly config: Config
  readonly store: Store
  readonly sealer: Sealer
  readonly keys: KeyRing
  readonly accessTokens: AccessTokens
  readonly revocations: Revocations
  readonly users: Users
  readonly sessions: Sessions
  readonly custody: Custody
  /** Identity providers by id, `local` not among them. */
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Our clients' applications at the identity provider, in management mode. */
  readonly applications: Applications | undefined
  /** Whether people can sign in with e-mail and password. */
  readonly localSignIn: boolean
  readonly clock: Clock
  readonly random: Random
  /** What the process around us says of itself: false while nobody should send new requests here. */
  readonly isReady: () => Promise<boolean>
  /** Outbound HTTP. */
  readonly fetch: typeof fetch
  /** Outbound HTTP to addresses that strangers choose. */
  readonly documents: DocumentReader
  /** Starts backends that are programs. */
  readonly programs: Programs
  readonly log: Log
  readonly audit: Audit
  readonly limits: Limits
  readonly metrics: Metrics
}

/** The token response of RFC 6749 §5.1. `scope` is always there: several clients rely on it. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly scope: string
}

/** A context for one request: the same ports, and the exchange beneath it. */
export interface RequestContext extends Context {
  readonly exchange: Exchange
}

/** The context of one request, whose audit lines say which request and whose it was. */
export function toRequestContext(context: Context, exchange: Exchange): RequestContext {
  return {
    ...context,
    exchange,
    audit(event) {
      const { requestId, peer } = exchange
      context.audit({ requestId, peer, ...event })
    },
  }
}

/**
 * An endpoint: the one shape of every handler in `routes.ts`. Only what is piped from a backend is a
 * `Response` already.
 */
export type Endpoint = (request: Request, context: RequestContext) => Promise<Answer | Response>

/** An endpoint whose answer depends on nothing in the request. */
export interface Document extends Endpoint {
  /** The answer; the same object as long as it stays the same. Never fails. */
  readonly render: (context: Pick<Context, 'config' | 'keys'>) => Answer
}

/** The endpoint that answers with what `render` gives. */
export function toDocument(render: Document['render']): Document {
  return Object.assign(async (_request: Request, context: RequestContext) => render(context), {
    render,
  })
}

/** Whether an endpoint is a document. */
export function isDocument(endpoint: Endpoint): endpoint is Document {
  return 'render' in endpoint
}

/** Whoever calls, as the MCP SDKs hand it to tools (`AuthInfo`). */
export interface AuthInfo {
  /** The access token itself; for nobody else, and in no log. */
  readonly token: string
  readonly clientId: string
  readonly scopes: string[]
  /** Unix seconds. */
  readonly expiresAt: number
  /** What the token is for: the issuer and the backend's path. */
  readonly resource: URL
  /** `userId`, `grantId` and `tokenId`. */
  readonly extra: { readonly userId: string; readonly grantId: string; readonly tokenId: string }
}

/** What a guarded request needs. */
export interface GuardOptions {
  /** Id of the backend it is for. Default: the only one. */
  readonly backend?: string
  /** Scopes that the token must have. Default: none besides being valid. */
  readonly scopes?: readonly string[]
}

/** Let in, with header fields for the answer, or answered already. */
export type Guarded =
  | { readonly auth: AuthInfo; readonly headers: Readonly<Record<string, string>> }
  | { readonly response: Response }

/** Where the person's browser goes now, and the code that it takes along. */
export interface VouchedAuthorization {
  readonly redirectTo: string
  readonly code: string
  /** Our id of the person: what a guard gives as `auth.extra.userId`. */
  readonly userId: string
}

/** Whom the program vouches for, and what it lets the client have. */
export interface VouchedPerson extends Omit<Identity, 'memberships' | 'tokens'> {
  /** Scopes of the request that are granted. Default: all. */
  readonly scopes?: readonly string[]
}
