/** Ports for everything that tells the owner what happens, and for what holds attackers back. */

/** Fields of a log line. Secrets never stand in one; personal data only in the audit log. */
export type LogFields = Record<string, unknown>

/** The structured log. Messages are fixed texts; what varies is in the fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** Names of security events. Each is one line of the audit log. */
export type AuditEventName =
  | 'client.registered'
  | 'client.refused'
  | 'client.updated'
  | 'client.removed'
  | 'authorize.started'
  | 'authorize.refused'
  | 'sign-in.succeeded'
  | 'sign-in.failed'
  | 'sign-out'
  | 'consent.allowed'
  | 'consent.denied'
  | 'code.issued'
  | 'code.refused'
  | 'code.replayed'
  | 'token.issued'
  | 'token.refreshed'
  | 'token.retried'
  | 'token.refused'
  | 'token.reused'
  | 'token.revoked'
  | 'grant.ended'
  | 'gate.refused'
  | 'user.added'
  | 'user.linked'
  | 'user.invited'
  | 'user.uninvited'
  | 'user.password_changed'
  | 'user.removed'
  | 'key.made'
  | 'key.revoked'
  | 'admin-token.made'
  | 'limit.reached'
  | 'upstream.ended'
  | 'upstream.revoked'
  | 'upstream.revocation_retried'
  | 'upstream.revocation_failed'
  | 'upstream.revocation_dropped'

/** One security event. */
export interface AuditEvent {
  readonly event: AuditEventName
  readonly outcome: 'ok' | 'refused'
  /** Machine word for why, on refusals. */
  readonly reason?: string | undefined
  readonly clientId?: string | undefined
  readonly userId?: string | undefined
  readonly grantId?: string | undefined
  readonly requestId?: string | undefined
  /** Peer address. */
  readonly peer?: string | undefined
  /** Who caused it, when it was no request: a command. */
  readonly actor?: 'cli' | undefined
  /** Unix seconds when it happened, when the line comes later. */
  readonly at?: number | undefined
  readonly details?: Record<string, unknown>
}

/** Writes one audit line before it returns. */
export type Audit = (event: AuditEvent) => void

/**
 * What is being attacked, and therefore limited:
 * `register` registrations (keyed by peer network, and one bucket for all); `application` those of them that make
 * an application at the identity provider (likewise);
 * `sign-in` failed passwords of one account; `client-auth` failed authentications of one client;
 * `token` failed redemptions of one client; `authorize` flows begun by one client and peer network;
 * `document` documents read at addresses that strangers chose, by who asked and by the host that is asked;
 * `setup` failed uses of the set-up link.
 */
export type LimitName =
  | 'register'
  | 'application'
  | 'sign-in'
  | 'client-auth'
  | 'token'
  | 'authorize'
  | 'document'
  | 'setup'

/** Rate limits. Unused keys cost nothing and the number of keys is bounded. */
export interface Limits {
  /**
   * Spends one point of a key.
   *
   * @throws OAuthError `temporarily_unavailable` with status 429 and `Retry-After` when none is left
   */
  spend(limit: LimitName, key: string): Promise<void>
  /** Throws like {@link Limits.spend} when nothing is left, without spending. For limits on failures. */
  check(limit: LimitName, key: string): Promise<void>
  /** Forgets what a key has spent: the honest owner came through. */
  reset(limit: LimitName, key: string): Promise<void>
}

/** Counters and timings for Prometheus. */
export interface Metrics {
  /** Adds one to a counter. */
  count(
    name:
      | 'registrations'
      | 'authorizations'
      | 'sign_ins'
      | 'tokens'
      | 'refusals'
      | 'gate_requests'
      | 'programs'
      | 'errors',
    labels?: Record<string, string>,
  ): void
  /** Records how long a request to a route took, in seconds. */
  time(route: string, status: number, seconds: number): void
  /** Exposes a value that is read anew for every exposition; the last `read` given for a name counts. */
  gauge(
    name: 'revocations_age_seconds' | 'store_hints_up' | 'programs_running',
    read: () => number,
  ): void
  /** The exposition text (Prometheus text format 0.0.4) and its content type. */
  expose(): Promise<{ body: string; contentType: string }>
}
