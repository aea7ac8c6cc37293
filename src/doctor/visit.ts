/**
 * All that a visit to an MCP server brought home, for the checks to read. The walk (`walk.ts`) makes the
 * shared part with at most 12 requests, `play.ts` one part for each client with at most 4.
 */
import type { ClientProfile, ServerMetadataPlace } from '../profiles/profile.ts'
import type { Failure, HostFacts, Observation } from './observation.ts'

/** An authorization server, and what came of looking for its metadata. */
export interface ServerSeen {
  /** The issuer that clients start from: an authorization server that is named, or the MCP server's origin. */
  readonly issuer: string
  /** Whether protected-resource metadata named it. */
  readonly isIssuerNamed: boolean
  /** By where it was looked for; places in which few clients look only where one was played that does. */
  readonly serverMetadata: Readonly<Partial<Record<ServerMetadataPlace, Observation>>>
}

/** What every client would see alike; the authorization server is the first that is named. */
export interface SharedVisit extends ServerSeen {
  /** The URL as the person typed it. */
  readonly url: URL
  readonly host: HostFacts | Failure
  /** `initialize` by POST without a token, and the same path by GET and HEAD. */
  readonly post: Observation
  readonly get: Observation
  readonly head: Observation
  /** `server/discover` without a token, with which clients of 2026-07-28 begin; absent when no request was left for it. */
  readonly discover?: Observation
  /** Protected-resource metadata, by where it was looked for; `challenge` only where the challenge names another place. */
  readonly resourceMetadata: Readonly<Partial<Record<'challenge' | 'path' | 'root', Observation>>>
  /** The second server that is named; only where the first has no metadata and requests were left for all of it. */
  readonly next?: ServerSeen
  readonly jwks?: Observation
  /** The first document of the server's metadata that was found, asked for once more as by a browser. */
  readonly fromBrowser?: Observation
  /** A preflight as a browser client sends it to the MCP endpoint. */
  readonly preflight: Observation
  /** Unix seconds by the clock of the machine that visits, when `post` was answered. */
  readonly now: number
}

/** What one client would see. */
export interface ClientVisit {
  readonly profile: ClientProfile
  /** The authorization server as this client came to it, where that is not as all see it. */
  readonly server?: ServerSeen
  /** How it came to a client id. */
  readonly identification: 'document' | 'registration' | 'typed-in' | 'none' | 'skipped'
  readonly registration?: Observation
  /**
   * A registration answered with 429 after others of this visit had been taken: our own haste, which says
   * nothing about the server. The client is `skipped` then.
   */
  readonly postponed?: Observation
  /** The client id it has then. */
  readonly clientId?: string
  /** The authorization request, answered by a page or a redirect. */
  readonly authorize?: Observation
  /** Where that sent the browser, asked once: the sign-in page of a provider. */
  readonly signIn?: Observation
  /** The removal of the registration (RFC 7592); absent when none was possible. */
  readonly removal?: Observation
}

/** Everything. */
export interface Visit {
  readonly shared: SharedVisit
  readonly clients: readonly ClientVisit[]
}
