/** What the measuring process and the process of one measured server say to each other. */

/** An answer that is there before the request. */
export interface FixedAnswer {
  readonly status: number
  /** Names and values in turn, without what Node adds itself. */
  readonly headers: readonly string[]
  /** One character is one byte. */
  readonly body: string
}

/** Which server a process is to be. */
export type ServerSpec =
  /** `store` as `--store` takes it; `prefix` for stores that others use too. */
  | {
      readonly kind: 'gatehouse'
      readonly store: string
      readonly prefix?: string
      readonly backend: string
    }
  /** `pageBytes`: how long the consent page is. */
  | {
      readonly kind: 'oidc-provider' | 'mcp-sdk' | 'workers-oauth-provider' | 'better-auth'
      readonly pageBytes: number
    }
  /** Answers a form with a signed token, whatever it says. */
  | { readonly kind: 'signing-floor' }
  /** Answers the request for `/<n>` with the n-th answer, whatever it says. */
  | { readonly kind: 'bare'; readonly answers: readonly FixedAnswer[] }
  /** Pipes to the backend with `node:http`, or with undici. */
  | { readonly kind: 'http-pipe'; readonly backend: string }
  | { readonly kind: 'undici-pipe'; readonly backend: string }

/** To the server's process. */
export type Command =
  | { readonly command: 'start'; readonly spec: ServerSpec }
  | { readonly command: 'cpu' }
  /** Records a CPU profile from now on; the second time it is written to `file`. */
  | { readonly command: 'profile'; readonly file: string }

/** Where a server does what. */
export interface Paths {
  readonly authorize: string
  readonly token: string
  readonly register: string
  readonly metadata: string
  readonly jwks: string
}

/** Most servers do it here. */
export const usualPaths: Paths = {
  authorize: '/authorize',
  token: '/token',
  register: '/register',
  metadata: '/.well-known/oauth-authorization-server',
  jwks: '/jwks',
}

/** A server that listens. */
export interface Started {
  readonly origin: string
  readonly paths: Paths
  /** What clients must ask for to be given a refresh token, unless the usual scope will do. */
  readonly scope?: string
  /** `name=value` of the sessions of people who are signed in already, one for each lane. */
  readonly sessions: readonly string[]
}

/** From the server's process. */
export type Answer =
  | { readonly answer: 'started'; readonly started: Started }
  /** User and system time of the whole process so far. */
  | { readonly answer: 'cpu'; readonly microseconds: number }
  | { readonly answer: 'profiled' }
  | { readonly answer: 'failed'; readonly message: string }

/** How many requests are in flight at most, each in a lane and a connection of its own. */
export const lanes = 32
