/** What an embedder hands to `createGatehouse`: live objects and plain settings, all with secure defaults. */
import type { Context, Lifetimes, RefreshRules } from './context.ts'
import type { Upstream } from './identity/upstream.ts'
import type { Clock } from './platform/clock.ts'
import type { Random } from './platform/crypto.ts'
import type { Audit, Limits, Log, Metrics } from './platform/ports.ts'
import type { SigningAlgorithm } from './storage/records/key.ts'
import type { Store } from './storage/store.ts'

/** One MCP server to protect. */
export interface BackendOptions {
  /** Default `mcp`. */
  id?: string
  /** Shown to people. Default: the id. */
  name?: string
  /** Where clients reach it. Default `/mcp`. */
  path?: string
  /** Its Streamable HTTP endpoint. Absent: Gatehouse is the authorization server only. */
  to?: string | URL
  /** Default `none`. */
  identity?: 'none' | 'headers' | 'assertion'
  /** Added to every request to the backend. */
  headers?: Record<string, string>
}

/** Options of `createGatehouse`. Wrong ones are a `TypeError`. */
export interface GatehouseOptions {
  /** Bare origin, `https:`; `http:` on loopback only. */
  issuer: string
  backends: BackendOptions[]
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
  lifetimes?: Partial<Lifetimes>
  refresh?: Partial<RefreshRules>
  signingAlgorithm?: SigningAlgorithm
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
  /** Give a public client that registers exactly the same again the same id. Default false. */
  reuseRegistrations?: boolean
  siteName?: string
  upstreams?: Upstream[]
  /** E-mail and password accounts. Default: true when there is no upstream. */
  localSignIn?: boolean
  /** Asked by `GET /readyz`, beside the store: false while nobody should send new requests here. Default: always true. */
  isReady?: () => Promise<boolean>
  /** Start although the store belongs to another issuer: every client must connect again. */
  acceptNewIssuer?: boolean
  gateBodyLimitBytes?: number
  clock?: Clock
  random?: Random
  fetch?: typeof fetch
  log?: Log
  audit?: Audit
  limits?: Limits
  metrics?: Metrics
}

/** A running Gatehouse. */
export interface Gatehouse {
  /** Answers one request. `env` is what the host knows of the connection (Node: `{ incoming, outgoing }`). */
  fetch(request: Request, env?: unknown): Promise<Response>
  /** The ports it was built from, for the command line and for embedders' own routes. */
  readonly context: Context
  /** A one-time link with which the first owner sets up an account; undefined once there is one. */
  createSetupLink(): Promise<string | undefined>
  /** Lets go of everything it opened itself (not of the store it was given). */
  close(): Promise<void>
}
