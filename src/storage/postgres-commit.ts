/** A commit as the arrays that the database's commit function takes; see `postgres-sql.ts`. */
import type { Commit } from './store.ts'

/** What a commit says of one key. */
interface Line {
  /** The version it must have, 0 for none; null when it may be anything. */
  readonly check: number | null
  /** Null when it is not set. */
  readonly value: string | null
  readonly expiresAt: number | null
  readonly isDeleted: boolean
}

const nothing: Line = { check: null, value: null, expiresAt: null, isDeleted: false }

/**
 * The parameters of the commit at a time, its keys in byte order; undefined when a check can never
 * hold: two of them contradict each other, or one wants a key that nobody can have written.
 *
 * @throws TypeError when a value is no text that PostgreSQL keeps: JSON escapes NUL and lone surrogates
 *   (catalogue TK-18)
 */
export function toCommitValues(change: Commit, now: number): unknown[] | undefined {
  const lines = new Map<string, Line>()
  const put = (key: string, part: Partial<Line>): void => {
    lines.set(key, { ...(lines.get(key) ?? nothing), ...part })
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
  return toArrays(lines, now)
}

function toArrays(lines: ReadonlyMap<string, Line>, now: number): unknown[] {
  const sorted = [...lines].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    now,
    sorted.map(([key]) => key),
    sorted.map(([, line]) => line.check),
    sorted.map(([, line]) => line.value),
    sorted.map(([, line]) => line.expiresAt),
    sorted.map(([, line]) => line.isDeleted),
  ]
}

/** Whether PostgreSQL would refuse the text; no stored key has the character. */
export function hasNul(text: string): boolean {
  return text.includes('\0')
}
