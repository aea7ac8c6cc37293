/** The checker finds what it is there to find, in histories written by hand. */
import { describe, expect, it } from 'vitest'
import { findViolations } from './checker.ts'
import type { Entry } from './history.ts'

/** A request that begins at a moment and takes five milliseconds. */
function at(
  invokedAt: number,
  operation: Entry['operation'],
  subject: string,
  rest: Partial<Entry> = {},
): Entry {
  const base = { operation, subject, by: 'owner' as const, invokedAt, returnedAt: invokedAt + 5 }
  return { ...base, status: 200, ...rest }
}

const gives = (refresh_token: string): Partial<Entry> => ({ answer: { refresh_token } })
const refused: Partial<Entry> = { status: 400, answer: { error: 'invalid_grant' } }
const lost: Partial<Entry> = { returnedAt: Infinity, status: undefined }

const good: Entry[] = [
  at(0, 'redeem', 'code', gives('t0')),
  at(1, 'redeem', 'code', refused),
  at(10, 'refresh', 't0', lost),
  at(20, 'refresh', 't0', gives('t1')),
  at(21, 'refresh', 't0', gives('t1')),
  at(30, 'refresh', 't1', gives('t2')),
  at(40, 'introspect', 't2', { answer: { active: true } }),
]

describe('the history checker', () => {
  it('finds nothing in a history without a fault', () => {
    expect(findViolations(good)).toEqual([])
  })

  it('lets an owner be refused once the grant may have ended', () => {
    const late = [at(50, 'revoke', 't2', lost), at(60, 'refresh', 't2', refused)]
    expect(findViolations([...good, ...late])).toEqual([])
  })

  it.each<[string, Entry[], RegExp]>([
    ['a second redemption', [at(2, 'redeem', 'code', gives('x0'))], /redeemed twice/],
    ['a fork', [at(22, 'refresh', 't0', gives('other'))], /2 successors/],
    ['a logout for nothing', [at(50, 'refresh', 't2', refused)], /for nothing/],
    [
      'a revoked grant that lives',
      [at(50, 'revoke', 't1'), at(60, 'refresh', 't2', gives('t3'))],
      /after its grant ended/,
    ],
    [
      'a stolen grant that lives',
      [
        at(50, 'refresh', 't0', { ...refused, by: 'thief' }),
        at(60, 'introspect', 't2', { answer: { active: true } }),
      ],
      /after its grant ended/,
    ],
    [
      'an ancestor that is let in',
      [at(50, 'refresh', 't0', { ...gives('t1'), by: 'thief' })],
      /although its successor was replaced/,
    ],
    [
      'two living tokens',
      [at(50, 'introspect', 't1', { answer: { active: true } })],
      /although it was replaced/,
    ],
    ['a lost registration', [at(50, 'authorize', 'app', { status: 400 })], /is gone/],
    [
      'a transient fault told as a refusal',
      [at(50, 'refresh', 't2', { status: 401, answer: { error: 'invalid_client' } })],
      /answered with 401/,
    ],
  ])('finds %s', (_, entries, message) => {
    expect(findViolations([...good, ...entries]).join('\n')).toMatch(message)
  })
})
