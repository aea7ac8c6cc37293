/**
 * What lies beneath one HTTP exchange: the port through which handlers read a small body and pipe a
 * proxied answer. On Node both go straight from and to the socket (`node-exchange.ts`); elsewhere
 * they use `Request` and `fetch` (`web-exchange.ts`).
 */
export interface Exchange {
  /** Correlates log lines of one request; random, never taken from the client. */
  readonly requestId: string
  /** Address of the connection's other end as the socket knows it; `unknown` without a socket. */
  readonly peer: string
  /**
   * The whole body as text, at most `limitBytes` of it, counted before anything parses it.
   *
   * @throws OAuthError `invalid_request` with status 413 when it is longer, 415 when it has a
   *   `Content-Encoding`, 400 when it is not UTF-8 or the client stopped sending
   */
  readBody(limitBytes: number): Promise<string>
  /**
   * Sends this exchange's request on to a backend and streams the answer back unbuffered. The client
   * going away aborts the backend request.
   *
   * @throws OAuthError `temporarily_unavailable` with status 502 or 503 when the backend gave no answer
   */
  forward(target: ForwardTarget): Promise<Response>
}

/** Where a request goes and what it becomes on the way. Header names are lower case. */
export interface ForwardTarget {
  readonly url: URL
  readonly method: string
  /** The complete list of header fields to send; repeated names stay apart. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Turns the backend's header fields into those the client gets. */
  readonly respond: (
    status: number,
    headers: readonly (readonly [name: string, value: string])[],
  ) => readonly (readonly [name: string, value: string])[]
  /** Ends the stream early: the token behind it expired or was revoked. */
  readonly signal?: AbortSignal
  /** Longest wait for the backend's response headers. Default 60. */
  readonly headersTimeoutSeconds?: number
  /** Largest request body passed on, counted while streaming. Default 4 MiB. */
  readonly bodyLimitBytes?: number
}
