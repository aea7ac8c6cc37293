/** The public names of `mcp-gatehouse`, one by one. Stores, providers and adapters have subpaths of their own. */
export type { BackendOptions } from './backend-options.ts'
export type {
  AuthInfo,
  Context,
  Guarded,
  GuardOptions,
  TokenResponse,
  VouchedAuthorization,
  VouchedPerson,
} from './context.ts'
export { type ErrorCode, errorStatus, OAuthError, type OAuthErrorDetails } from './errors.ts'
export { createGatehouse } from './gatehouse.ts'
export type { Identity, Upstream, UpstreamFlow, UpstreamTokens } from './identity/upstream.ts'
export type {
  AuthorizationWishes,
  Gatehouse,
  GatehouseOptions,
  Operations,
  RegistrationWishes,
  TokenWishes,
} from './options.ts'
export type { Clock } from './platform/clock.ts'
export type { FetchDocument, FetchedDocument, FetchProblem } from './platform/pinned-fetch.ts'
export type { Audit, AuditEvent, Limits, Log, Metrics } from './platform/ports.ts'
export type { Commit, Entry, ListOptions, Store, Write } from './storage/store.ts'
