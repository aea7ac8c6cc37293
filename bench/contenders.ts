/** Who takes part, and what each of them really does: no figure means anything without it. */
import type { Operate } from './load.ts'
import type { MeasuredServer } from './server-process.ts'
import type { ServerSpec } from './servers/protocol.ts'

/** One that issues tokens. */
export interface Issuer {
  /** For `--with`. */
  readonly id: string
  /** As the report shows it. */
  readonly name: string
  /** Algorithm, rotation, storage, and what it leaves out, in one sentence. */
  readonly about: string
  /** What its access tokens are; checked before anything is measured. */
  readonly accessToken: 'ES256 JWT' | 'opaque'
  /** Where it keeps what it issues; only Gatehouse has a choice. */
  readonly store: 'memory' | 'sqlite' | 'postgres' | 'redis'
  readonly kind: 'gatehouse' | Peer['kind']
}

type Peer = Extract<ServerSpec, { pageBytes: number }>

const gatehouse =
  'ES256, every refresh rotates and can be repeated, writes an audit line for each operation, counts metrics, looks up limits'

/** All that issue tokens, in the order of the report. */
export const issuers: readonly Issuer[] = [
  {
    id: 'memory',
    name: 'Gatehouse, memory',
    about: gatehouse,
    accessToken: 'ES256 JWT',
    store: 'memory',
    kind: 'gatehouse',
  },
  {
    id: 'sqlite',
    name: 'Gatehouse, SQLite FULL',
    about: 'the same; acknowledged means flushed to the disk, concurrent commits share a flush',
    accessToken: 'ES256 JWT',
    store: 'sqlite',
    kind: 'gatehouse',
  },
  {
    id: 'redis',
    name: 'Gatehouse, Redis',
    about: 'the same, over a redis-server beside it with appendfsync always',
    accessToken: 'ES256 JWT',
    store: 'redis',
    kind: 'gatehouse',
  },
  {
    id: 'postgres',
    name: 'Gatehouse, PostgreSQL',
    about: 'the same, over a PostgreSQL beside it that flushes every commit',
    accessToken: 'ES256 JWT',
    store: 'postgres',
    kind: 'gatehouse',
  },
  {
    id: 'oidc-provider',
    name: 'oidc-provider',
    about:
      'ES256, every refresh rotates, no ID token, its own map of the newest 1 000 records, no log; its journey has two requests more',
    accessToken: 'ES256 JWT',
    store: 'memory',
    kind: 'oidc-provider',
  },
  {
    id: 'mcp-sdk',
    name: 'MCP SDK 1 router',
    about:
      'mcpAuthRouter on its express, limits off, no log; ES256 by node:crypto, refresh tokens that work once and maps are ours, since it has none; its journey has as many requests',
    accessToken: 'ES256 JWT',
    store: 'memory',
    kind: 'mcp-sdk',
  },
  {
    id: 'workers-oauth-provider',
    name: 'workers-oauth-provider',
    about:
      'fetch handler on @hono/node-server over a map in place of Workers KV; opaque tokens, it signs nothing; every refresh rotates, the token before stays valid; encrypts props for each grant; no log; its journey has as many requests',
    accessToken: 'opaque',
    store: 'memory',
    kind: 'workers-oauth-provider',
  },
  {
    id: 'better-auth',
    name: 'better-auth',
    about:
      'with its OAuth provider and JWT plugins, ES256 by jose, every refresh rotates, limits and log off; over SQLite in memory, because its memory adapter copies all tables for a transaction; its journey has two requests more',
    accessToken: 'ES256 JWT',
    store: 'memory',
    kind: 'better-auth',
  },
]

/** The bare server: a floor that nothing can be below. */
export const bareName = 'bare node:http'
/** The server that only signs: the floor of a refresh. */
export const floorName = 'signing floor'
/** Whom the targets name. */
export const peerName = 'oidc-provider'

/** A server ready for the load. */
export interface Contender {
  readonly name: string
  readonly server: MeasuredServer
  readonly operate: Operate
}

/** Which of them take part. */
export type IsWanted = (issuer: Issuer) => boolean
