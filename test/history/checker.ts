/**
 * Says from a history alone which rules were broken (design §1, catalogue §22 "Jepsen-style").
 *
 * Only what is certain counts: one request came before another when it had returned before the other was
 * made, and a request without an answer may have taken effect or not.
 */
import type { Entry } from './history.ts'

/** A code that is redeemed again so long after the first time ends its grant; a second is for rounding. */
const impatienceMilliseconds = 1000

/** The rules that a history breaks, in words; none when all is well. */
export function findViolations(entries: readonly Entry[]): string[] {
  const families = toFamilies(entries)
  return [
    ...findBadStatuses(entries),
    ...findDoubleRedemptions(entries),
    ...findLostRegistrations(entries),
    ...families.problems,
    ...families.all.flatMap((family) => [
      ...findLogouts(family),
      ...findRevivals(family),
      ...findAncestors(family),
      ...findLeaves(family),
    ]),
  ]
}

/** All that concerns one grant. */
interface Family {
  readonly code: string
  readonly redemptions: readonly Entry[]
  /** Refresh token → the request that first yielded its successor, and that successor. */
  readonly successors: ReadonlyMap<string, { readonly token: string; readonly returnedAt: number }>
  readonly entries: readonly Entry[]
}

const isOk = ({ status }: Entry): boolean => status === 200
const short = (text: string): string => `${text.slice(0, 12)}…`

function findBadStatuses(entries: readonly Entry[]): string[] {
  const expected: Record<Entry['operation'], readonly number[]> = {
    register: [201, 503],
    authorize: [200, 503],
    redeem: [200, 400, 503],
    refresh: [200, 400, 503],
    revoke: [200, 503],
    introspect: [200, 503],
  }
  return entries.flatMap(({ operation, subject, status, answer }) => {
    if (status === undefined || expected[operation].includes(status)) {
      const isPlain = status !== 400 || answer?.error === 'invalid_grant'
      return isPlain ? [] : [`${operation} of ${short(subject)} was refused with ${answer?.error}`]
    }
    return [`${operation} of ${short(subject)} was answered with ${status} ${answer?.error ?? ''}`]
  })
}

function findDoubleRedemptions(entries: readonly Entry[]): string[] {
  const redeemed = entries.filter((entry) => entry.operation === 'redeem' && isOk(entry))
  const seen = new Set<string>()
  return redeemed.flatMap(({ subject }) => {
    if (seen.has(subject)) return [`code ${short(subject)} was redeemed twice`]
    seen.add(subject)
    return []
  })
}

/** An authorization request of a registered client is never told that nobody knows it. */
function findLostRegistrations(entries: readonly Entry[]): string[] {
  return entries
    .filter(({ operation, status }) => operation === 'authorize' && status === 400)
    .map(({ subject }) => `client ${subject} was registered and is gone`)
}

function toFamilies(entries: readonly Entry[]): { all: Family[]; problems: string[] } {
  const roots = new Map<string, string>()
  for (const { operation, subject, answer } of entries) {
    if (operation === 'redeem' && answer?.refresh_token) roots.set(answer.refresh_token, subject)
  }
  const problems: string[] = []
  const all = [...roots].map(([root, code]) => {
    const { successors, forks } = toSuccessors(root, entries)
    problems.push(...forks)
    const tokens = new Set([root, ...[...successors.values()].map(({ token }) => token)])
    return {
      code,
      successors,
      redemptions: entries.filter((one) => one.operation === 'redeem' && one.subject === code),
      entries: entries.filter(({ subject }) => tokens.has(subject)),
    }
  })
  return { all, problems }
}

/** Follows the chain from the first token on; two successors of one token are a fork. */
function toSuccessors(root: string, entries: readonly Entry[]) {
  const successors = new Map<string, { token: string; returnedAt: number }>()
  const forks: string[] = []
  for (let token: string | undefined = root; token !== undefined; ) {
    const current: string = token
    const yielded = entries
      .filter((one) => one.operation === 'refresh' && one.subject === current && isOk(one))
      .sort((a, b) => a.returnedAt - b.returnedAt)
    const different = new Set(yielded.map(({ answer }) => answer?.refresh_token))
    if (different.size > 1) forks.push(`token ${short(current)} has ${different.size} successors`)
    const [first] = yielded
    token = first?.answer?.refresh_token
    if (first === undefined || token === undefined) break
    if (successors.has(token)) {
      forks.push(`token ${short(token)} succeeds itself`)
      break
    }
    successors.set(current, { token, returnedAt: first.returnedAt })
  }
  return { successors, forks }
}

/** From when on the grant may have ended by something that somebody did. */
function findPossibleEnd({ entries, redemptions }: Family): number {
  const doing = entries.filter(({ operation, by }) => operation === 'revoke' || by === 'thief')
  const first = Math.min(...redemptions.map(({ invokedAt }) => invokedAt))
  const late = redemptions.filter(
    ({ returnedAt }) => returnedAt - first > impatienceMilliseconds && redemptions.length > 1,
  )
  return Math.min(
    ...doing.map(({ invokedAt }) => invokedAt),
    ...late.map(({ invokedAt }) => invokedAt),
  )
}

/** From when on the grant has certainly ended. */
function findCertainEnd({ entries, successors }: Family): number {
  const ends = entries.filter(({ operation, subject, status, invokedAt }) => {
    if (operation === 'revoke') return status === 200
    if (operation !== 'refresh' || status !== 400) return false
    const replacedAt = findReplacement(successors, subject)
    return replacedAt !== undefined && replacedAt < invokedAt
  })
  return Math.min(...ends.map(({ returnedAt }) => returnedAt))
}

/** When it was known that the successor of a token has a successor. */
function findReplacement(successors: Family['successors'], token: string): number | undefined {
  const next = successors.get(token)
  return next && successors.get(next.token)?.returnedAt
}

/** The owner of a grant is refused only for a reason. */
function findLogouts(family: Family): string[] {
  const possibleEnd = findPossibleEnd(family)
  return family.entries
    .filter(
      ({ operation, by, status }) => operation === 'refresh' && by === 'owner' && status === 400,
    )
    .filter(({ returnedAt }) => returnedAt < possibleEnd)
    .map(({ subject }) => `token ${short(subject)} was refused to its owner for nothing`)
}

/** What ended stays ended. */
function findRevivals(family: Family): string[] {
  const certainEnd = findCertainEnd(family)
  return family.entries
    .filter(({ invokedAt }) => invokedAt > certainEnd)
    .filter((one) => (one.operation === 'refresh' && isOk(one)) || one.answer?.active === true)
    .map(({ subject }) => `token ${short(subject)} lives after its grant ended`)
}

/** Only the newest token and its immediate predecessor are ever accepted. */
function findAncestors({ entries, successors }: Family): string[] {
  return entries
    .filter((one) => one.operation === 'refresh' && isOk(one))
    .filter(
      ({ subject, invokedAt }) => (findReplacement(successors, subject) ?? Infinity) < invokedAt,
    )
    .map(
      ({ subject }) => `token ${short(subject)} was accepted although its successor was replaced`,
    )
}

/** A token whose successor was given out is not the living one. */
function findLeaves({ entries, successors }: Family): string[] {
  return entries
    .filter(({ operation, answer }) => operation === 'introspect' && answer?.active === true)
    .filter(
      ({ subject, invokedAt }) => (successors.get(subject)?.returnedAt ?? Infinity) < invokedAt,
    )
    .map(({ subject }) => `token ${short(subject)} is said to live although it was replaced`)
}
