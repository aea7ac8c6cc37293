/** The event streams that clients hold open here: bounded for each user of a client, alive while a token of theirs is. */
import type { Backend, RequestContext } from '../../../context.ts'
import { OAuthError } from '../../../errors.ts'
import type { AccessTokenClaims } from '../../../tokens/access-token.ts'
import { tokenEnded } from '../../bearer.ts'
import { createTokenWatch } from '../../token-watch.ts'
import { toPrincipal } from './session.ts'

/** Streams that one user may hold open with one client at one instance (catalogue DS-02, ST-02). */
const streamsPerPrincipal = 32

/** Streams of all callers together where OAuth is off, and nobody can be told from another. */
const streamsOfAnybody = 4096

/** How many streams a caller may hold open. */
export function countStreamsAllowed({ config }: RequestContext): number {
  return config.oauthEnabled ? streamsPerPrincipal : streamsOfAnybody
}

/** A stream that counts. */
export interface HeldStream {
  /** Aborted when the token behind the stream has ended. */
  readonly signal: AbortSignal
  /** The holder came with this token: the stream lives as long as it does, when that is longer. */
  renew(claims: AccessTokenClaims): void
  /** Must be called when the stream is over. */
  release(): void
}

/** Takes a place for a stream; throws 429 when its principal has as many as it may. */
export type HoldStream = (claims: AccessTokenClaims, context: RequestContext) => HeldStream

/** The streams to one backend at this instance. */
export function createStreamHolding(backend: Backend): HoldStream {
  const counts = new Map<string, number>()
  const tokens = createTokenWatch()
  return (claims, context) => {
    const principal = toPrincipal(claims)
    const count = counts.get(principal) ?? 0
    const allowed = countStreamsAllowed(context)
    if (count >= allowed) throw tooManyStreams(allowed)
    counts.set(principal, count + 1)
    const watched = tokens.watch(claims, context, (reason) => tokenEnded(reason, backend, context))
    let isOver = false
    return {
      signal: watched.signal,
      renew: watched.renew,
      release: () => {
        if (isOver) return
        isOver = true
        watched.release()
        const left = (counts.get(principal) ?? 1) - 1
        if (left > 0) counts.set(principal, left)
        else counts.delete(principal)
      },
    }
  }
}

function tooManyStreams(allowed: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    `This client holds ${allowed} streams open already; close some of them`,
    { status: 429, reason: 'streams_exhausted', retryAfterSeconds: 30 },
  )
}
