/**
 * What the doctor saw: one request that was sent, and what came of it.
 *
 * Everything the doctor says rests on these, so they hold all that a colleague needs to believe it. Secrets
 * are masked when an observation is made, so that no report can leak one.
 */

/** A request as it was sent. Header names are lower case. */
export interface SentRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** As text; masked. */
  readonly body?: string
}

/** An answer as it came. Nothing is followed, nothing repeated. */
export interface SeenResponse {
  readonly status: number
  /** Names in lower case; several fields of a name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** The first 64 KiB as text; masked. Empty for a stream that never ended. */
  readonly body: string
  /** The body parsed, when it is JSON whatever its content type says. */
  readonly json?: unknown
}

/** Why there was no answer. */
export interface Failure {
  readonly kind:
    | 'name-not-found'
    | 'refused'
    | 'unreachable'
    | 'certificate'
    | 'tls'
    | 'timeout'
    | 'broken-answer'
    | 'not-sent'
  /** In plain words, without addresses of this machine. */
  readonly detail: string
}

/** One request and what came of it. */
export interface Observation {
  readonly request: SentRequest
  readonly response?: SeenResponse
  readonly failure?: Failure
  /** Milliseconds until the answer had come. */
  readonly milliseconds: number
}

/** What is known of a host without asking it for anything. */
export interface HostFacts {
  readonly host: string
  readonly port: number
  /** Addresses its name resolves to. */
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
  /** Whether every address is a public one. */
  readonly isPublic: boolean
  /** The certificate, over https. */
  readonly certificate?: {
    readonly subject: string
    readonly issuer: string
    /** Unix seconds. */
    readonly validFrom: number
    readonly validTo: number
    /** Why Node does not trust it; absent when it does. */
    readonly problem?: string
  }
  /** What the handshake agreed on: `h2`, `http/1.1`. */
  readonly protocol?: string
}

/** Sends one request of the walk. Never throws; never follows a redirect. */
export type Probe = (request: SentRequest) => Promise<Observation>

/** Looks a host up: DNS, and the TLS handshake for https. Never throws. */
export type InspectHost = (url: URL) => Promise<HostFacts | Failure>
