/**
 * How many programs of one backend run at a time, in all and for one user: each costs what a process costs,
 * and clients seldom say that they are done.
 */

import { OAuthError } from '../../errors.ts'
import type { StdioProgram } from '../../stdio-program.ts'
import type { Occupant } from './bridge-sessions.ts'

/** How long nobody must have used the program of one user before another user's takes its place, in milliseconds. */
const untouchedMs = 60_000

/** Asked before a session begins: makes room for its program. */
export function createPlaces({
  maxProcesses,
  maxProcessesPerUser,
}: StdioProgram): (occupant: Occupant) => void {
  const taken = new Set<Occupant>()
  const makeRoom = (among: readonly Occupant[], refusal: () => OAuthError) => {
    const unread = among.filter((each) => !each.isRead())
    const [longestUnused] = unread.sort((one, other) => one.usedAt() - other.usedAt())
    if (longestUnused === undefined) throw refusal()
    longestUnused.end()
  }
  return (occupant) => {
    const { userId, context, signal } = occupant
    const all = [...taken]
    const own = all.filter((each) => each.userId === userId)
    // Where OAuth is off, nobody can be told from another.
    const allowed = context.config.oauthEnabled ? maxProcessesPerUser : maxProcesses
    if (own.length >= allowed) makeRoom(own, () => tooManyOfUser(allowed))
    else if (all.length >= maxProcesses) {
      const before = performance.now() - untouchedMs
      makeRoom(
        all.filter((each) => each.usedAt() < before || each.userId === userId),
        tooManyInAll,
      )
    }
    taken.add(occupant)
    signal.addEventListener('abort', () => taken.delete(occupant))
  }
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
