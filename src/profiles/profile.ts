/**
 * What one MCP client does, as data: how it looks for the authorization server, who it says it is, what it
 * insists on, and the words its user sees when something is missing.
 *
 * The consent page, registration, the doctor, the tests and the table in the docs all read these; none has
 * a copy of its own. A profile is what was documented, captured or read in a client's source; each says
 * where from and when, because vendors change them monthly.
 */

/** One client. */
export interface ClientProfile {
  /** What `gatehouse doctor --as` calls it: lower case, hyphens. Unique. */
  readonly id: string
  /** As people know it. */
  readonly name: string
  /** Further names under which it registers or is known. */
  readonly alsoCalled?: readonly string[]
  /** The profile of the same program that this one is another way or another version of. */
  readonly variantOf?: string
  /** Where its OAuth code runs, which decides what addresses it reaches. */
  readonly runs: 'vendor-cloud' | 'own-machine' | 'own-server'
  /** Whose OAuth code it is. */
  readonly engine: EngineName
  /** The MCP revisions it speaks, the one it tries first at the front. */
  readonly revisions: readonly Revision[]
  readonly sources: readonly Source[]
  /** How a person adds a server; absent where nobody has published it. */
  readonly adding?: Adding
  readonly redirects: Redirects
  readonly identification: Identification
  readonly discovery: Discovery
  readonly authorization: Authorization
  readonly tokens: TokenHabits
  /** What it insists on; a server that lacks one of these loses this client. */
  readonly requires: readonly Requirement[]
  /** What its user sees, by the step at which it fails. */
  readonly failures: Failures
  /** What is known to go wrong with it, and what helps; a sentence or two each. */
  readonly problems?: readonly string[]
}

/**
 * OAuth code that clients share, or their own.
 *
 * `specification`: nobody has read that client's code or published its requests. Beyond its redirect URIs
 * such a profile holds what the MCP specification asks of every client, not what was seen.
 */
export type EngineName =
  | 'typescript-sdk-1'
  | 'typescript-sdk-2'
  | 'python-sdk'
  | 'rmcp'
  | 'own'
  | 'specification'

/** What an engine does wherever it runs; profiles spread one and replace what their client does otherwise. */
export type Engine = Pick<
  ClientProfile,
  'engine' | 'revisions' | 'discovery' | 'authorization' | 'tokens' | 'requires' | 'failures'
>

/** How a person adds a server. */
export interface Adding {
  /** What to do, in a sentence or two; where there is a text to copy, it ends by saying where that goes. */
  readonly steps: string
  /** Where in its settings that is. */
  readonly menu?: string
  /** The text to copy. `name` has nothing that a shell or a client would stumble over. */
  readonly toCopy?: (server: { readonly name: string; readonly url: string }) => string
}

/** Where a fact is from. */
export interface Source {
  /** An address, or what was read: `typescript-sdk 2.4 src/client/auth.ts`. */
  readonly what: string
  /** `vendor`: its documentation. `source`: its code. `capture`: requests seen. `report`: its users. */
  readonly kind: 'vendor' | 'source' | 'capture' | 'report'
  /** `2026-10`. */
  readonly seen: string
}

/** Where it has its codes sent. */
export interface Redirects {
  /** Hosts of its https redirect URIs. Empty for clients that people host themselves: any can be theirs. */
  readonly hosts: readonly string[]
  /** Its private-use schemes, without the colon. */
  readonly schemes?: readonly string[]
  /** Those that are the same for everybody, for an owner who registers it by hand. */
  readonly uris?: readonly string[]
  /** Whether it receives codes on the user's own machine by http, on any port. */
  readonly loopback: boolean
  /** One that it asks for in use, where that is not the first of its registration: another port, another form. */
  readonly used?: string
}

/** How it comes to a client id, in the order it tries. */
export interface Identification {
  readonly order: readonly ('document' | 'registration' | 'typed-in')[]
  /** Its Client ID Metadata Document. */
  readonly document?: {
    /** The `client_id`s it uses, the usual one first. `{id}` in the others stands for one of the connection. */
    readonly ids: readonly string[]
    /** Whether it uses it only where the metadata lists `none` as an authentication method. */
    readonly needsNone: boolean
    /** Where its codes go then, when that is not where they go after a registration. */
    readonly redirectUri?: string
  }
  /** The body of its registration (RFC 7591); absent when it never registers. */
  readonly registration?: Readonly<Record<string, unknown>> & {
    readonly redirect_uris: readonly string[]
  }
  /**
   * Authentication methods, of which its registration names the first that the metadata lists. Absent: it
   * always names that of `registration`.
   */
  readonly prefersMethods?: readonly AuthMethod[]
  /** Whether its registration also names the scopes that it is going to ask for. */
  readonly registersScope?: boolean
}

/** A way to authenticate at the token endpoint. */
export type AuthMethod = 'none' | 'client_secret_post' | 'client_secret_basic' | 'private_key_jwt'

/** How it finds the authorization server. */
export interface Discovery {
  /** The method of its first request to the MCP endpoint. */
  readonly firstRequest: 'POST' | 'GET' | 'HEAD'
  /** Where it looks for the protected-resource metadata: named by the challenge, with the path inserted, at the root. */
  readonly resourceMetadata: readonly ('challenge' | 'path' | 'root')[]
  /** Where it looks for the server's. */
  readonly serverMetadata: readonly ServerMetadataPlace[]
  /** Whether it goes on to the second authorization server when the first does not do. */
  readonly triesEachServer: boolean
  /**
   * Whether it takes an `issuer` that differs from the link to it by the slash of a bare origin: whichever of the
   * two has it, or where the link does. Absent: it does not, or compares nothing.
   */
  readonly allowsIssuerSlash?: 'in-either' | 'in-link'
  /**
   * Where it takes `/authorize`, `/token` and `/register` to be when the authorization server has no metadata
   * (MCP 2025-03-26, "Fallbacks for Servers without Metadata Discovery"): at the origin of the server that the
   * resource metadata names, if one is named, or at that of the MCP server in any case. Absent: it gives up.
   */
  readonly defaultEndpoints?: 'named-server' | 'mcp-server'
  /** Whether a browser makes its requests, so that CORS decides. */
  readonly fromBrowser?: boolean
}

/**
 * A place of the authorization server's metadata: RFC 8414 or OpenID, inserted before the issuer's path
 * (`oauth`, `openid`), appended to it, or at the origin whatever the path. Without a path those of one document
 * are one place.
 */
export type ServerMetadataPlace =
  | 'oauth'
  | 'openid'
  | 'openid-appended'
  | 'oauth-appended'
  | 'oauth-at-origin'

/** Its authorization request. */
export interface Authorization {
  /** What it sends as `resource` (RFC 8707): as the metadata writes it, the URL as typed, or nothing. */
  readonly resource: 'metadata' | 'url' | 'none'
  /** Whether a slash follows that `resource`, which the metadata does not have. Default false. */
  readonly resourceEndsInSlash?: boolean
  /** Where its scopes are from, the first that has some. */
  readonly scope: readonly ('challenge' | 'resource-metadata' | 'server-metadata')[]
  /** What it asks for where none of these places has any. Absent: it names no scope then. */
  readonly scopeOtherwise?: readonly string[]
  /** Scopes that it has been seen to add though nobody lists them; not always. */
  readonly invents?: readonly string[]
  /** Whether it adds `offline_access` where the metadata lists it. */
  readonly addsOfflineAccess: boolean
  /** Whether it adds `prompt=consent` together with `offline_access`. */
  readonly promptsForOffline?: boolean
  /**
   * How it can be told later that it needs more scopes: by a 403 with `insufficient_scope`, or by a tool
   * result with `_meta["mcp/www_authenticate"]`. Absent where nobody has seen it.
   */
  readonly stepUp?: 'challenge' | 'tool-result'
  /** Parameters besides. */
  readonly extra?: Readonly<Record<string, string>>
}

/** What it does with tokens. */
export interface TokenHabits {
  /** Ways it authenticates at the token endpoint, the preferred one first. */
  readonly authenticates: readonly AuthMethod[]
  /** Whether it percent-encodes id and secret for Basic, as RFC 6749 §2.3.1 wants. Default false. */
  readonly encodesBasic?: boolean
  /** Seconds it waits for an answer, where known. */
  readonly timeoutSeconds?: number
  /** When it refreshes: so many seconds before the token ends, or only when refused (0). */
  readonly refreshesSecondsBefore: number
  /** Whether several of its requests may refresh with one token at once. */
  readonly refreshesInParallel: boolean
  /** Whether a refresh names scopes, those it asked for first. Default false. */
  readonly refreshesWithScope?: boolean
}

/** MCP revisions, oldest first. */
export type Revision = '2024-11-05' | '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28'

/** At which step a client gives up. */
export type Step = 'reach' | 'discover' | 'register' | 'authorize' | 'token' | 'use' | 'refresh'

/** The words its user sees; a step that is missing shows what `reach` or the engine behind it says. */
export type Failures = Readonly<Partial<Record<Step, string>>> & {
  /** Words for one requirement, where the client has some of its own. */
  readonly of?: Readonly<Partial<Record<Requirement, string>>>
}

/** What a client can insist on, and the step at which it does. */
export const requirements = {
  'public-address': 'reach',
  'ipv4-address': 'reach',
  'port-443': 'reach',
  'valid-certificate': 'reach',
  'no-redirect-on-mcp': 'reach',
  'no-challenge-page': 'reach',
  'streamable-http': 'reach',
  'unauthorized-401': 'discover',
  'unauthorized-401-on-get': 'discover',
  'unauthorized-401-on-head': 'discover',
  'challenge-names-metadata': 'discover',
  'resource-metadata': 'discover',
  'resource-equals-url': 'discover',
  'resource-covers-url': 'discover',
  'metadata-is-json': 'discover',
  'server-metadata': 'discover',
  'issuer-present': 'discover',
  'issuer-equals-link': 'discover',
  's256-listed': 'discover',
  's256-if-listed': 'discover',
  'response-type-code': 'discover',
  'no-null-members': 'discover',
  'member-types': 'discover',
  'openid-complete': 'discover',
  'endpoints-at-issuer': 'discover',
  'cors-on-metadata': 'discover',
  'way-to-a-client-id': 'register',
  'registration-succeeds': 'register',
  'registration-echoes-redirects': 'register',
  'registration-without-null': 'register',
  'registration-keeps-method': 'register',
  'authorization-page': 'authorize',
  'iss-if-advertised': 'authorize',
  'iss-always': 'authorize',
  'resource-accepted': 'authorize',
  'token-answer-json': 'token',
  'token-for-public-client': 'token',
  'expires-in-integer': 'token',
  'fresh-token-accepted': 'use',
  'calls-without-session': 'use',
  'refresh-token-given': 'refresh',
  'refresh-in-parallel': 'refresh',
} as const satisfies Record<string, Step>

/** One thing that a client can insist on. */
export type Requirement = keyof typeof requirements
