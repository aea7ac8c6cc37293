/**
 * Sessions of bridges, in the memory of this process (docs/decisions/018): each belongs to one user of
 * one client (catalogue RS-17), ends with the token behind it, and does not stay when nobody uses it.
 */
import type { Backend, RequestContext } from '../../../context.ts'
import type { AccessTokenClaims } from '../../../tokens/access-token.ts'
import { sessionNotFound, toPrincipal } from '../legacy/session.ts'
import { countStreamsAllowed, createStreamHolding } from '../legacy/streams.ts'

/** A session as its bridge sees it. */
export interface BridgeSession {
  readonly id: string
  /** Aborted when the session is over, with the reason. */
  readonly signal: AbortSignal
  end(reason?: unknown): void
}

/** What a bridge keeps for a session. */
export interface BridgeLink {
  /** Whether somebody reads a stream of it now. */
  isRead(): boolean
  /** Whether it owes an answer now. */
  isBusy(): boolean
}

/** The sessions of one bridge. */
export interface BridgeSessions<Link extends BridgeLink> {
  /**
   * Begins a session for which the bridge keeps what `connect` makes.
   *
   * @throws OAuthError with status 429 when the caller has as many as it may and all are in use
   */
  begin(
    claims: AccessTokenClaims,
    context: RequestContext,
    connect: (session: BridgeSession) => Link,
  ): Link
  /**
   * What is kept for the session of this id; it lives as long as the caller's token, when that is longer.
   *
   * @throws OAuthError with status 404 when there is none here, or it is somebody else's
   */
  find(id: string, claims: AccessTokenClaims): Link
}

interface Kept<Link> {
  readonly link: Link
  readonly session: BridgeSession
  readonly principal: string
  readonly renew: (claims: AccessTokenClaims) => void
  usedAt: number
  calledAt: number
}

/** How sessions are bounded. */
export interface SessionBounds {
  /** How long a session stays that nobody uses, in seconds. Default 600. */
  readonly idleSeconds?: number
  /** Asked before a session begins, which may end others to make room for it; throws when there is none. */
  readonly admit?: (occupant: Occupant) => void
}

/** A session as those see it who bound what sessions cost. */
export interface Occupant {
  readonly userId: string
  readonly context: RequestContext
  isRead(): boolean
  /** Whether it owes an answer now. */
  isBusy(): boolean
  /** By `performance.now()`; while it is read it is in use. */
  usedAt(): number
  /** When its client said something last, by `performance.now()`. */
  calledAt(): number
  end(reason?: unknown): void
  /** Aborted when the session is over. */
  readonly signal: AbortSignal
}

/** How often is looked for sessions that nobody uses, in milliseconds. */
const sweepMs = 30_000

/** 192 bits. */
const idBytes = 24

/** The sessions at one backend. */
export function createBridgeSessions<Link extends BridgeLink>(
  backend: Backend,
  { idleSeconds = 600, admit }: SessionBounds = {},
): BridgeSessions<Link> {
  const hold = createStreamHolding(backend)
  const kept = new Map<string, Kept<Link>>()
  let timer: ReturnType<typeof setInterval> | undefined
  const sweep = () => {
    const now = performance.now()
    for (const each of kept.values()) {
      if (each.link.isRead()) each.usedAt = now
      else if (each.usedAt < now - idleSeconds * 1000) each.session.end()
    }
  }
  const forget = (id: string) => {
    kept.delete(id)
    if (kept.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    begin(claims, context, connect) {
      const principal = toPrincipal(claims)
      const own = [...kept.values()].filter((each) => each.principal === principal)
      makeRoom(own, countStreamsAllowed(context))
      const held = hold(claims, context)
      const ending = new AbortController()
      const id = context.random(idBytes)
      const end = (reason?: unknown) => {
        if (ending.signal.aborted) return
        forget(id)
        held.release()
        ending.abort(reason)
      }
      held.signal.addEventListener('abort', () => end(held.signal.reason))
      const session = { id, signal: ending.signal, end }
      try {
        admit?.(toOccupant(session, { userId: claims.sub, context, find: () => kept.get(id) }))
      } catch (error) {
        held.release()
        throw error
      }
      const link = connect(session)
      const now = performance.now()
      kept.set(id, { link, session, principal, renew: held.renew, usedAt: now, calledAt: now })
      timer ??= startTimer(sweep)
      return link
    },
    find(id, claims) {
      const found = kept.get(id)
      if (found?.principal !== toPrincipal(claims)) throw sessionNotFound()
      found.usedAt = performance.now()
      found.calledAt = found.usedAt
      found.renew(claims)
      return found.link
    },
  }
}

/** What is not kept yet is in use. */
function toOccupant<Link extends BridgeLink>(
  { signal, end }: BridgeSession,
  { find, ...whose }: Pick<Occupant, 'userId' | 'context'> & { find: () => Kept<Link> | undefined },
): Occupant {
  return {
    ...whose,
    signal,
    end,
    isRead: () => find()?.link.isRead() ?? true,
    isBusy: () => find()?.link.isBusy() ?? true,
    usedAt: () => find()?.usedAt ?? performance.now(),
    calledAt: () => find()?.calledAt ?? performance.now(),
  }
}

/** A client that never says when it is done must not shut itself out: its longest unused session ends. */
function makeRoom<Link extends BridgeLink>(own: readonly Kept<Link>[], allowed: number): void {
  if (own.length < allowed) return
  const unread = own.filter(({ link }) => !link.isRead())
  unread.sort((one, other) => one.usedAt - other.usedAt)[0]?.session.end()
}

function startTimer(sweep: () => void) {
  const timer = setInterval(sweep, sweepMs)
  // Only Node has this; elsewhere a timer does not keep anything alive.
  timer.unref?.()
  return timer
}
