import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { unavailable } from '../../src/errors.ts'
import { startReaping, startSweeping } from '../../src/operate/jobs.ts'
import type { Log } from '../../src/platform/ports.ts'
import { memoryStore } from '../../src/storage/memory.ts'

const clock = { now: () => 1000 }

function keepWarnings() {
  const warnings: string[] = []
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message) => void warnings.push(message),
    error: () => undefined,
  }
  return { log, warnings }
}

/** A store of which only sweeping matters: answers with the given counts, one after the other. */
function sweptStore(answers: (number | Error)[]) {
  const limits: number[] = []
  const store = {
    ...memoryStore({ clock }),
    async sweep(limit: number) {
      limits.push(limit)
      const answer = answers.shift() ?? 0
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  return { store, limits }
}

it('reaping goes on an hour after a round that failed', async () => {
  vi.useFakeTimers()
  const { log, warnings } = keepWarnings()
  const rounds: number[] = []
  const job = startReaping({ log, jitter: () => 0.5 }, async () => {
    rounds.push(Date.now())
    throw unavailable('away')
  })
  await vi.advanceTimersByTimeAsync(601_000)
  expect(rounds).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(3_598_000)
  expect(rounds).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(rounds).toHaveLength(2)
  expect(warnings).toHaveLength(2)
  await job.stop()
  vi.useRealTimers()
})

describe('sweeping', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('removes expired keys in slices until none is left, and again a minute later (A5)', async () => {
    const { store, limits } = sweptStore([500, 500, 7])
    const job = startSweeping({ store, log: keepWarnings().log, jitter: () => 0.5 })
    await vi.advanceTimersByTimeAsync(59_000)
    expect(limits).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(limits).toEqual([500, 500, 500])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(limits).toHaveLength(4)
    await job.stop()
  })

  it('leaves a huge backlog for the next rounds', async () => {
    const { store, limits } = sweptStore(Array.from({ length: 1000 }, () => 500))
    const job = startSweeping({ store, log: keepWarnings().log, jitter: () => 0.5 })
    await vi.advanceTimersByTimeAsync(61_000)
    expect(limits).toHaveLength(20)
    await job.stop()
  })

  it('goes on after a fault of the store', async () => {
    const { log, warnings } = keepWarnings()
    const { store, limits } = sweptStore([unavailable('busy')])
    const job = startSweeping({ store, log, jitter: () => 0.5 })
    await vi.advanceTimersByTimeAsync(121_000)
    expect(limits).toHaveLength(2)
    expect(warnings).toHaveLength(1)
    await job.stop()
  })

  it('stops', async () => {
    const { store, limits } = sweptStore([])
    const job = startSweeping({ store, log: keepWarnings().log })
    await job.stop()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(limits).toHaveLength(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})
