import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { postgresStore } from '../../src/storage/postgres.ts'
import type { Entry, Store } from '../../src/storage/store.ts'
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts'
import { createTestClock } from './fixtures.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

const keys = ['a', 'a/1', 'a/2', 'b', '~']

/** What a commit does with a key; a check wants what is there, what was there before, or nothing. */
const use = fc.record({
  check: fc.constantFrom('none', 'current', 'former', 'absent'),
  write: fc.constantFrom('none', 'none', 'set', 'expire', 'delete'),
})
const step = fc.record({
  uses: fc.array(use, { minLength: keys.length, maxLength: keys.length }),
  seconds: fc.constantFrom(0, 0, 0, 1),
  sweep: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Plays steps on a store and notes everything it answered, versions aside. */
async function play(store: Store, clock: ReturnType<typeof createTestClock>, steps: Step[]) {
  const answers: unknown[] = []
  let former: (Entry | undefined)[] = keys.map(() => undefined)
  for (const [number, { uses, seconds, sweep }] of steps.entries()) {
    const current = await store.get(keys)
    const lines = uses.map((use, n) => ({
      ...use,
      key: keys[n] ?? '',
      now: current[n],
      before: former[n],
    }))
    const check = lines
      .filter((line) => line.check !== 'none')
      .map((line) => {
        const wanted = {
          none: undefined,
          absent: undefined,
          current: line.now,
          former: line.before,
        }
        return {
          key: line.key,
          version: wanted[line.check as keyof typeof wanted]?.version ?? null,
        }
      })
    const set = lines
      .filter((line) => line.write === 'set' || line.write === 'expire')
      .map(({ key, write }) => {
        return { key, value: `${number}`, expiresAt: write === 'set' ? undefined : clock.now() + 1 }
      })
    const dropped = lines.filter((line) => line.write === 'delete').map(({ key }) => key)
    answers.push(await store.commit({ check, set, delete: dropped }))
    answers.push((await store.list('a')).map(({ key, value }) => [key, value]))
    if (sweep) answers.push(await store.sweep(10))
    if (current.some((entry) => entry)) former = current
    clock.advance(seconds)
  }
  return answers
}

describe('postgresStore', () => {
  it('answers as the plainest store does, whatever is done to it', async () => {
    let tables = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const clocks = [createTestClock(), createTestClock()] as const
        tables += 1
        const { url } = server
        const store = await postgresStore({ url, clock: clocks[1], table: `model_${tables}` })
        try {
          const expected = await play(memoryStore({ clock: clocks[0] }), clocks[0], steps)
          expect(await play(store, clocks[1], steps)).toEqual(expected)
        } finally {
          await store.close()
        }
      }),
      { numRuns: 50 },
    )
  }, 60_000)
})
