/** Commits as the arrays that the database's commit function takes; see `postgres-sql.ts`. */
import { limitKeys } from './joined-reads.ts'
import type { Commit } from './store.ts'

/** What a commit says of one key. */
export interface Line {
  readonly key: string
  /** The version it must have, 0 for none; null when it may be anything. */
  readonly check: number | null
  /** Null when it is not set. */
  readonly value: string | null
  readonly expiresAt: number | null
  readonly isDeleted: boolean
}

const nothing: Omit<Line, 'key'> = { check: null, value: null, expiresAt: null, isDeleted: false }

/**
 * What the commit says of each of its keys; undefined when a check can never hold: two of them
 * contradict each other, or one wants a key that nobody can have written.
 *
 * @throws TypeError when a value is no text that PostgreSQL keeps: JSON escapes NUL and lone surrogates
 *   (catalogue TK-18)
 */
export function toLines(change: Commit): readonly Line[] | undefined {
  const lines = new Map<string, Line>()
  const put = (key: string, part: Partial<Line>): void => {
    lines.set(key, { ...(lines.get(key) ?? nothing), ...part, key })
  }
  for (const { key, version } of change.check ?? []) {
    const check = version ?? 0
    const known = lines.get(key)?.check ?? check
    if (known !== check || (hasNul(key) && check !== 0)) return undefined
    if (!hasNul(key)) put(key, { check })
  }
  for (const { key, value, expiresAt = null } of change.set ?? []) {
    if (hasNul(value) || !value.isWellFormed())
      throw new TypeError(`The value of ${key} is not JSON`)
    put(key, { value, expiresAt })
  }
  for (const key of change.delete ?? []) put(key, { isDeleted: true })
  return [...lines.values()]
}

/** Most keys of commits that travel together, so that nobody waits long for their locks. */
const keysTogether = 128

/** Takes commits as long as no two of them concern the same key: none may depend on another one. */
export function limitCommits(): (lines: readonly Line[]) => boolean {
  const taken = new Set<string>()
  const fits = limitKeys(keysTogether)
  return (lines) => {
    if (lines.some(({ key }) => taken.has(key)) || !fits(lines)) return false
    for (const { key } of lines) taken.add(key)
    return true
  }
}

/** The parameters of these commits at a time: their keys in byte order, whosever they are. */
export function toCommitValues(commits: readonly (readonly Line[])[], now: number): unknown[] {
  const sorted = commits
    .flatMap((lines, commit) => lines.map((line) => ({ ...line, commit })))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  return [
    now,
    sorted.map(({ commit }) => commit),
    sorted.map(({ key }) => key),
    sorted.map(({ check }) => check),
    sorted.map(({ value }) => value),
    sorted.map(({ expiresAt }) => expiresAt),
    sorted.map(({ isDeleted }) => isDeleted),
  ]
}

/** Whether PostgreSQL would refuse the text; no stored key has the character. */
export function hasNul(text: string): boolean {
  return text.includes('\0')
}
