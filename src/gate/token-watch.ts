/**
 * Ends what a token opened when the token ends: a stream lives no longer than 30 s past the expiry of
 * its token, and about a second past its revocation or that of its key (catalogue ST-06).
 */
import type { RequestContext } from '../context.ts'
import type { OAuthError } from '../errors.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'

/** A request that is being served on the strength of a token. */
export interface Watched {
  /** Aborted, with the refusal as its reason, when the token has ended. */
  readonly signal: AbortSignal
  /** From now on it stands on the token that lasts longest: the holder came with a newer one. */
  renew(claims: AccessTokenClaims): void
  /** Must be called when the request is over. */
  release(): void
}

/** Watches the tokens of all requests of one gate. */
export interface TokenWatch {
  watch(
    claims: AccessTokenClaims,
    context: RequestContext,
    refuse: (reason: string) => OAuthError,
  ): Watched
}

/** How long a stream may outlive its token, in seconds: time for the client to come with a new one. */
const expiryGraceSeconds = 30

const pollMs = 1000

/** A watch over one timer, which runs only while there is something to watch. */
export function createTokenWatch(): TokenWatch {
  const checks = new Set<() => void>()
  let timer: ReturnType<typeof setInterval> | undefined
  const poll = () => {
    for (const check of checks) check()
  }
  return {
    watch(claims, context, refuse) {
      const abort = new AbortController()
      let newest = claims
      const check = () => {
        const reason = findEnd(newest, context)
        if (reason !== undefined) abort.abort(refuse(reason))
      }
      checks.add(check)
      timer ??= startTimer(poll)
      const release = () => {
        checks.delete(check)
        if (checks.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
      const renew = (later: AccessTokenClaims) => {
        if (later.exp > newest.exp) newest = later
      }
      return { signal: abort.signal, renew, release }
    },
  }
}

function findEnd(claims: AccessTokenClaims, context: RequestContext): string | undefined {
  const { config, revocations, accessTokens } = context
  if (!config.oauthEnabled) return undefined
  if (revocations.isEnded(claims.gid) || revocations.isEnded(claims.jti)) return 'grant_ended'
  if (!accessTokens.isStanding(claims)) return 'unknown_key'
  if (context.clock.now() >= claims.exp + expiryGraceSeconds) return 'token_expired'
  return undefined
}

function startTimer(poll: () => void) {
  const timer = setInterval(poll, pollMs)
  // Only Node has this; elsewhere a timer does not keep anything alive.
  timer.unref?.()
  return timer
}
