import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPostgresCalls, type PostgresCalls } from '../../src/storage/postgres-calls.ts'
import type { PostgresPool } from '../../src/storage/postgres-client.ts'
import { refusal } from './fixtures.ts'

/** An error as the server reports it. */
function report(code: string, severity = 'ERROR'): Error {
  return Object.assign(new Error(code), { severity, code })
}

const isLost = new Error('Connection terminated unexpectedly')
const isFull = new Error('timeout exceeded when trying to connect')

/** A pool whose connections and statements fail as told, in order, and then succeed. */
function createScriptedPool(script: { connect?: Error[]; query?: (Error | 'silent')[] }) {
  const { connect = [], query = [] } = script
  const ran: string[] = []
  const released: (boolean | undefined)[] = []
  const pool: PostgresPool = {
    async connect() {
      const failure = connect.shift()
      if (failure) throw failure
      return {
        query: ({ text, query_timeout = 0 }) =>
          new Promise((resolve, reject) => {
            ran.push(text)
            const failure = query.shift()
            if (failure === undefined) return resolve({ rows: [], rowCount: 0 })
            if (failure !== 'silent') return reject(failure)
            setTimeout(() => reject(new Error('Query read timeout')), query_timeout)
          }),
        release: (broken) => void released.push(broken),
        on: () => {},
      }
    },
    end: async () => {},
    on: () => {},
  }
  return { calls: createPostgresCalls(pool), ran, released }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Runs a call to its end, however long it waits. */
async function settle(
  calls: PostgresCalls,
  name: 'repeat' | 'runOnce',
): Promise<PromiseSettledResult<unknown>> {
  const result = Promise.allSettled([calls[name]('X', [])]).then(([outcome]) => outcome)
  await vi.advanceTimersByTimeAsync(6000)
  return result
}

const both = ['repeat', 'runOnce'] as const

describe('createPostgresCalls', () => {
  it.each([
    ['a serialization failure', '40001', 'store_contended'],
    ['a deadlock', '40P01', 'store_contended'],
    ['a lock that is not released', '55P03', 'store_contended'],
    ['the time-out of a statement', '57014', 'store_timeout'],
    ['a full disk', '53100', 'store_full'],
    ['too little memory', '53200', 'store_busy'],
  ])('sends anything four times at most on %s (SG-18)', async (_, code, reason) => {
    for (const name of both) {
      const three = createScriptedPool({ query: Array(3).fill(report(code)) })
      expect(await settle(three.calls, name)).toMatchObject({ status: 'fulfilled' })
      expect(three.released).toEqual([false, false, false, undefined])
      const four = createScriptedPool({ query: Array(4).fill(report(code)) })
      const refused = refusal('temporarily_unavailable', reason)
      expect(await settle(four.calls, name)).toMatchObject({ reason: refused })
      expect(four.ran).toHaveLength(4)
    }
  })

  it('waits between attempts, longer each time', async () => {
    const { calls, ran } = createScriptedPool({ query: Array(4).fill(report('40001')) })
    const result = Promise.allSettled([calls.runOnce('X', [])])
    const seen: number[] = []
    for (const milliseconds of [9, 21, 60, 120]) {
      await vi.advanceTimersByTimeAsync(milliseconds)
      seen.push(ran.length)
    }
    await result
    expect(seen[0]).toBe(1)
    expect(seen.at(-1)).toBe(4)
  })

  it.each([
    ['the connection breaks', isLost, 'store_unreachable'],
    ['the server ends the connection', report('57P01', 'FATAL'), 'store_unreachable'],
    ['the server crashes', report('57P02', 'FATAL'), 'store_unreachable'],
  ])(
    'repeats a read but no commit when %s: it may have taken effect (SG-10)',
    async (_, error, reason) => {
      const read = createScriptedPool({ query: [error] })
      expect(await settle(read.calls, 'repeat')).toMatchObject({ status: 'fulfilled' })
      expect(read.released).toEqual([true, undefined])
      const commit = createScriptedPool({ query: [error] })
      const refused = refusal('temporarily_unavailable', reason)
      expect(await settle(commit.calls, 'runOnce')).toMatchObject({ reason: refused })
      expect(commit.ran).toHaveLength(1)
      expect(commit.released).toEqual([true])
    },
  )

  it('gives up after five seconds without an answer, and throws the connection away (HA-05)', async () => {
    for (const name of both) {
      const { calls, ran, released } = createScriptedPool({ query: ['silent', 'silent'] })
      const refused = {
        ...refusal('temporarily_unavailable', 'store_timeout'),
        retryAfterSeconds: 2,
      }
      expect(await settle(calls, name)).toMatchObject({ reason: refused })
      expect([ran.length, released]).toEqual([1, [true]])
    }
  })

  it('tries again for a connection, of which there are too few (SG-18)', async () => {
    const refused = new Error('connect ECONNREFUSED')
    for (const name of both) {
      const { calls, ran } = createScriptedPool({ connect: [isFull, refused] })
      expect(await settle(calls, name)).toMatchObject({ status: 'fulfilled' })
      expect(ran).toHaveLength(1)
      const full = createScriptedPool({ connect: Array(4).fill(isFull) })
      const busy = refusal('temporarily_unavailable', 'store_busy')
      expect(await settle(full.calls, name)).toMatchObject({ reason: busy })
    }
  })

  it.each([
    ['a missing table', '42P01', 'store_error', false],
    ['a missing right', '42501', 'store_error', false],
    ['a server that is the primary no more', '25006', 'store_read_only', true],
  ])('does not repeat what would fail again: %s', async (_, code, reason, isThrownAway) => {
    for (const name of both) {
      const { calls, ran, released } = createScriptedPool({ query: [report(code)] })
      const refused = refusal('temporarily_unavailable', reason)
      expect(await settle(calls, name)).toMatchObject({ reason: refused })
      expect([ran.length, released]).toEqual([1, [isThrownAway]])
    }
  })
})
