/**
 * How many programs of one backend run at a time, in all and for one user: each costs what a process costs,
 * and clients seldom say that they are done.
 *
 * A session gives its place away at once, and its program may take seconds to end. So places are given to
 * sessions, and a program starts when there is room as well.
 */
import type { RequestContext } from '../../../context.ts'
import { OAuthError } from '../../../errors.ts'
import type { StdioProgram } from '../../../stdio-program.ts'
import type { Occupant } from '../bridge/sessions.ts'

/**
 * How long nobody must have used the program of one user before another user's takes its place, or a client only
 * have listened to its own before another one of the same user does, in milliseconds.
 */
const untouchedMs = 60_000

/** Asked before a session begins: makes room for its program. */
export function createPlaces({
  maxProcesses,
  maxProcessesPerUser,
}: StdioProgram): (occupant: Occupant) => void {
  const taken = new Set<Occupant>()
  return (occupant) => {
    const { userId, context, signal } = occupant
    const all = [...taken]
    const own = all.filter((each) => each.userId === userId)
    const allowed = toAllowed(context, { maxProcesses, maxProcessesPerUser })
    if (own.length >= allowed) end(findDispensable(own), () => tooManyOfUser(allowed))
    else if (all.length >= maxProcesses)
      end(findUntouched(all) ?? findDispensable(own), tooManyInAll)
    taken.add(occupant)
    signal.addEventListener('abort', () => taken.delete(occupant))
  }
}

function end(occupant: Occupant | undefined, refusal: () => OAuthError): void {
  if (occupant === undefined) throw refusal()
  occupant.end()
}

/** The longest unused of all that nobody reads, whosever it is. */
function findUntouched(all: readonly Occupant[]): Occupant | undefined {
  const before = performance.now() - untouchedMs
  return findLongestUnused(all.filter((each) => each.usedAt() < before))
}

/**
 * Which of their own a user misses least. Most clients keep a stream open for as long as they run, and one that
 * was cut off keeps it until somebody notices.
 */
function findDispensable(own: readonly Occupant[]): Occupant | undefined {
  const before = performance.now() - untouchedMs
  const listening = own.filter((each) => !each.isBusy() && each.calledAt() < before)
  const [longest] = listening.sort((one, other) => one.calledAt() - other.calledAt())
  return findLongestUnused(own) ?? longest
}

function findLongestUnused(among: readonly Occupant[]): Occupant | undefined {
  const unread = among.filter((each) => !each.isRead())
  return unread.sort((one, other) => one.usedAt() - other.usedAt())[0]
}

/** For whom a program is to be started. */
export interface Entrant {
  readonly userId: string
  readonly context: RequestContext
  /** Aborted when nobody wants the program any more. */
  readonly signal: AbortSignal
}

/**
 * Resolves when there is room for a program, with what must be called once it is over.
 *
 * @throws OAuthError with status 503 when its session ended before
 */
export type EnterRoom = (entrant: Entrant) => Promise<() => void>

/** The programs that are there, also those that are ending. */
export function createRoom(bounds: StdioProgram): EnterRoom {
  const there = new Set<Entrant>()
  const waiting = new Set<() => void>()
  const isFull = ({ userId, context }: Entrant) => {
    const own = [...there].filter((each) => each.userId === userId)
    return there.size >= bounds.maxProcesses || own.length >= toAllowed(context, bounds)
  }
  const leave = (entrant: Entrant) => {
    there.delete(entrant)
    for (const go of waiting) go()
  }
  const waitForChange = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const go = () => {
        waiting.delete(go)
        signal.removeEventListener('abort', go)
        resolve()
      }
      waiting.add(go)
      signal.addEventListener('abort', go)
    })
  return async (entrant) => {
    const { signal } = entrant
    while (!signal.aborted && isFull(entrant)) await waitForChange(signal)
    if (signal.aborted) throw signal.reason instanceof OAuthError ? signal.reason : tooManyInAll()
    there.add(entrant)
    return () => leave(entrant)
  }
}

/** Where OAuth is off, nobody can be told from another. */
function toAllowed(
  { config }: RequestContext,
  bounds: Pick<StdioProgram, 'maxProcesses' | 'maxProcessesPerUser'>,
): number {
  return config.oauthEnabled ? bounds.maxProcessesPerUser : bounds.maxProcesses
}

function tooManyOfUser(allowed: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    `You have ${allowed} sessions in use with this MCP server already; close some of them`,
    { status: 429, reason: 'processes_exhausted', retryAfterSeconds: 30 },
  )
}

function tooManyInAll(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server is fully used; try later', {
    status: 503,
    reason: 'processes_exhausted',
    retryAfterSeconds: 30,
  })
}
