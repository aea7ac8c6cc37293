/**
 * What lies beneath one HTTP exchange: the port through which a small body is read, an answer is sent
 * and a proxied one is piped. On Node all go straight from and to the socket (`node-exchange.ts`);
 * elsewhere they use `Request`, `Response` and `fetch` (`web-exchange.ts`).
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
   * Sends an answer. Over sockets that were handed over for it, it is on its way when this returns, and
   * what is returned is only a mark; hand that on unchanged.
   */
  respond(answer: Answer): Response
  /**
   * Sends this exchange's request on to a backend and streams the answer back unbuffered. The client
   * going away aborts the backend request.
   *
   * @throws OAuthError `temporarily_unavailable` with status 502 or 503 when the backend gave no answer
   */
  forward(target: ForwardTarget): Promise<Response>
  /** Sends a request of our own to a backend; may be kept and used after the exchange is over. */
  readonly ask: AskBackend
}

/**
 * Sends a request to a backend, once.
 *
 * @throws OAuthError `temporarily_unavailable` with status 502, 503 or 504 when there was no answer, and
 *   whatever the request's signal was aborted with
 */
export type AskBackend = (request: BackendRequest) => Promise<BackendAnswer>

/** A request to a backend that is whole in memory. Header names are lower case. */
export interface BackendRequest {
  readonly url: URL
  readonly method: string
  readonly headers: readonly HeaderField[]
  readonly body?: string
  /** Ends the request, and the answer while it comes. */
  readonly signal?: AbortSignal
  /** Longest wait for the header fields of the answer. Default 60. */
  readonly headersTimeoutSeconds?: number
}

/** A backend's answer, read as it comes; its body must be read, or the request be ended. */
export interface BackendAnswer {
  readonly status: number
  readonly headers: readonly HeaderField[]
  readonly body: AsyncIterable<Uint8Array>
}

/** An answer that is whole in memory: every one but a proxied one. */
export interface Answer {
  readonly status: number
  /** Names are lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Values of `Set-Cookie`, the one field that is sent once for each. */
  readonly cookies?: readonly string[]
  readonly body?: string
  /** Whether this very object answers many requests, so that what is made of it on its way is kept. */
  readonly isKept?: boolean
}

/** Where a request goes and what it becomes on the way. Header names are lower case. */
export interface ForwardTarget {
  readonly url: URL
  readonly method: string
  /** The complete list of header fields to send; repeated names stay apart. */
  readonly headers: readonly HeaderField[]
  /**
   * Turns the backend's header fields into those the client gets. What it throws refuses the answer:
   * the backend request is aborted and `forward` throws the same.
   */
  readonly respond: (status: number, headers: readonly HeaderField[]) => readonly HeaderField[]
  /**
   * Called once with what {@link ForwardTarget.respond} threw: the header fields of another attempt, or
   * undefined to leave it at the refusal. Bodies up to 64 KiB of declared length are sent again; after a
   * longer one the client is asked to repeat its request (503).
   */
  readonly recover?: (refusal: unknown) => Promise<readonly HeaderField[] | undefined>
  /**
   * Ends the stream early: the token behind it expired or was revoked. Before the backend has answered,
   * `forward` throws the signal's reason.
   */
  readonly signal?: AbortSignal
  /** Called once when nothing more will pass, whichever way it ended. */
  readonly onEnd?: (outcome: ForwardOutcome) => void
  /** Longest wait for the backend's response headers. Default 60. */
  readonly headersTimeoutSeconds?: number
  /** Largest request body passed on, counted while streaming. Default 4 MiB. */
  readonly bodyLimitBytes?: number
  /** Sent in place of the request's own body, which `readBody` has taken. */
  readonly body?: string
  /**
   * Asked once, after `respond`: what changes the body of the answer on its way. Whoever gives one takes
   * `content-length` out of the fields.
   */
  readonly rewrite?: () => BodyRewriter | undefined
}

/** Changes a body while it passes. It may hold bytes back, and never throws. */
export interface BodyRewriter {
  /** What to send for this chunk; undefined for nothing yet. */
  readonly write: (chunk: Uint8Array) => Uint8Array | undefined
  /** What to send when the body is complete. */
  readonly end: () => Uint8Array | undefined
}

/** A header field of a request or response; the name is lower case. */
export type HeaderField = readonly [name: string, value: string]

/**
 * How a forwarded exchange ended: the whole answer passed (`complete`), the client went away
 * (`client_left`), the backend broke off (`backend_failed`), the signal ended it (`stopped`), or there
 * was no answer to pass on (`refused`).
 */
export type ForwardOutcome = 'complete' | 'client_left' | 'backend_failed' | 'stopped' | 'refused'
