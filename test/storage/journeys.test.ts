import { expect, it, onTestFinished, vi } from 'vitest'
import { createJourneys } from '../../src/storage/journeys.ts'

/** Journeys that come back when the test says so. */
function createHeld(size = 10) {
  const loads: (readonly string[])[] = []
  const under: { come(): void; fail(): void }[] = []
  const work = createJourneys<string, string>({
    createLoad: () => {
      let count = 0
      return () => ++count <= size
    },
    send: (load) => {
      loads.push(load)
      return new Promise((resolve, reject) => {
        under.push({
          come: () => resolve(load.map((piece) => `did ${piece}`)),
          fail: () => reject(new Error('down')),
        })
      })
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { loads, under, work, turn }
}

it('sends what is asked for in one turn together', async () => {
  const { loads, under, work, turn } = createHeld()
  const both = Promise.all([work('a'), work('b')])
  await turn()
  under[0]?.come()
  expect(await both).toEqual(['did a', 'did b'])
  expect(loads).toEqual([['a', 'b']])
})

it('gathers while two journeys are under way, and leaves when one is back (X12)', async () => {
  const { loads, under, work, turn } = createHeld()
  const done: Promise<string>[] = []
  for (const piece of ['a', 'b', 'c', 'd']) {
    done.push(work(piece))
    await turn()
  }
  expect(loads).toEqual([['a'], ['b']])
  under[1]?.come()
  expect(await done[1]).toBe('did b')
  await vi.waitFor(() => expect(loads.slice(2)).toEqual([['c', 'd']]))
})

it('takes what does not fit on the next journey', async () => {
  const { loads, work, turn } = createHeld(2)
  for (const piece of ['a', 'b', 'c']) void work(piece)
  await turn()
  expect(loads).toEqual([['a', 'b'], ['c']])
})

it('fails for everyone on a journey that fails, and for nobody else (SG-18)', async () => {
  const { under, work, turn } = createHeld(2)
  const outcomes = Promise.allSettled([work('a'), work('b'), work('c')])
  await turn()
  under[0]?.fail()
  under[1]?.come()
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
    'fulfilled',
  ])
})

it('waits no longer than a tenth of a second for journeys that are held up (HA-05)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { loads, under, work, turn } = createHeld()
  for (const piece of ['a', 'b', 'c']) {
    void work(piece)
    await turn()
  }
  vi.advanceTimersByTime(99)
  await turn()
  expect(loads).toHaveLength(2)
  vi.advanceTimersByTime(1)
  await turn()
  expect(loads[2]).toEqual(['c'])
  for (const journey of under) journey.come()
  await turn()
  expect(vi.getTimerCount()).toBe(0)
})
