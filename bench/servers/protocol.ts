/** What the measuring process and the process of one measured server say to each other. */

/** A fixed answer, so many bytes long. */
export interface FixedAnswer {
  readonly status: number
  readonly type: string
  readonly bytes: number
}

/** Which server a process is to be. */
export type ServerSpec =
  /** Over SQLite in `folder`, or in memory without one. */
  | { readonly kind: 'gatehouse'; readonly folder?: string; readonly backend: string }
  | { readonly kind: 'oidc-provider'; readonly pageBytes: number }
  /** Answers the request for `/<n>` with the n-th answer, whatever it says. */
  | { readonly kind: 'bare'; readonly answers: readonly FixedAnswer[] }
  /** Pipes to the backend with `node:http`, or with undici. */
  | { readonly kind: 'http-pipe'; readonly backend: string }
  | { readonly kind: 'undici-pipe'; readonly backend: string }

/** To the server's process. */
export type Command =
  | { readonly command: 'start'; readonly spec: ServerSpec }
  | { readonly command: 'cpu' }

/** A server that listens. */
export interface Started {
  readonly origin: string
  /** `name=value` of the sessions of people who are signed in already, one for each lane. */
  readonly sessions: readonly string[]
}

/** From the server's process. */
export type Answer =
  | { readonly answer: 'started'; readonly started: Started }
  /** User and system time of the whole process so far. */
  | { readonly answer: 'cpu'; readonly microseconds: number }
  | { readonly answer: 'failed'; readonly message: string }

/** How many requests are in flight at most, each in a lane of its own. */
export const lanes = 16
