/**
 * The whole server under random schedules: registrations, sign-ins, redemptions, refreshes, theft,
 * revocations, crashes, lost answers, store faults and clock jumps, on one to three processes, all from one
 * seed. `npm run simulate` runs as many as wanted.
 */
import { describe, expect, it } from 'vitest'
import { brokenStores } from './broken-stores.ts'
import { type Result, runSchedule } from './run.ts'
import { formatFailure, nameRule, shrinkSchedule } from './shrink.ts'

/** Runs schedules until one breaks a rule or the time is up. */
async function findFailure(
  seconds: number,
  options: Parameters<typeof runSchedule>[1] = {},
): Promise<{ failed: Result | undefined; count: number }> {
  const end = performance.now() + seconds * 1000
  let count = 0
  while (performance.now() < end) {
    count += 1
    const result = await runSchedule(count, options)
    if (result.failure) return { failed: result, count }
  }
  return { failed: undefined, count }
}

describe('the simulated deployment', () => {
  it('replays a seed exactly', async () => {
    for (const seed of [3, 17, 34]) {
      const [first, second] = [await runSchedule(seed), await runSchedule(seed)]
      expect(second.lines).toEqual(first.lines)
      expect(second.hash).toBe(first.hash)
    }
  })

  it('keeps every rule under random schedules (SG-08, SG-10, CD-03, RF-01, RF-02, RF-04, RF-05, RF-07, RF-16 to RF-18, HA-01 to HA-03)', async () => {
    const { failed, count } = await findFailure(5)
    if (failed) expect.fail(formatFailure(failed, await shrinkSchedule(failed)))
    expect(count).toBeGreaterThan(5)
  }, 60_000)

  it.each(Object.keys(brokenStores))(
    'notices a store that %s',
    async (name) => {
      const makeStore = brokenStores[name]
      const { failed } = await findFailure(40, makeStore && { makeStore })
      expect(failed && nameRule(failed)).toBeDefined()
    },
    120_000,
  )
})
