/**
 * What people see while the store fails, and how they get where they want nevertheless (SG-08, SG-10, P5).
 *
 * Every operation of a whole story fails once, before it did anything and after it took effect. The person
 * then does what people do, the client what honest ones do; both must arrive, and nothing half done may
 * stay in the store.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FailurePoint } from '../helpers/failing-store.ts'
import { createDice, type Dice } from '../simulation/dice.ts'
import { beginLife, type Life, type LifeOptions } from './outage-life.ts'
import { habits } from './outage-person.ts'
import { expectWhole } from './outage-rows.ts'
import { type Story, setUp, stories } from './outage-stories.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const points: readonly FailurePoint[] = ['before', 'after']

/** No story needs more operations than this. */
const mostOperations = 200

type Choices = Omit<LifeOptions, 'signIn' | 'hasGate'>

/** Tells a story to its end, in a life of its own that is disturbed. Returns what was asked and failed. */
async function live(story: Story, choices: Choices, disturb: (life: Life) => void) {
  const { signIn, hasGate = false } = story
  const life = await beginLife({ ...choices, signIn, hasGate })
  try {
    await story.begin?.(life)
    disturb(life)
    await story.tell(life)
    const { operations, failures } = life.store
    life.store.heal()
    await expectWhole(life)
    return { operations, failures }
  } catch (error) {
    const { failures } = life.store
    throw new Error(`${JSON.stringify({ ...choices, failures })}: ${String(error)}`, {
      cause: error,
    })
  } finally {
    await life.close()
  }
}

/** Lets the first operation of a story fail, in another life the second …, until none is left to fail. */
async function liveWithEachFailure(story: Story, choices: Choices): Promise<string[]> {
  const failed: string[] = []
  for (const point of points) {
    for (let nth = 1; ; nth++) {
      expect(nth, 'operations').toBeLessThan(mostOperations)
      const { failures } = await live(story, choices, ({ store }) => store.failAt(nth, point))
      if (failures.length === 0) break
      failed.push(...failures.map(({ operation }) => operation))
    }
  }
  return failed
}

describe.each([...stories, setUp].map((story) => [story.title, story] as const))(
  '%s',
  (_, story) => {
    it.each(story.habits)('and, whatever fails once, %s', async (habit) => {
      const failed = await liveWithEachFailure(story, { habit })
      for (const operation of story.mustFail ?? []) expect(failed).toContain(operation)
    })

    it('and for every commit somebody else is faster once', async () => {
      const choices = { habit: 'follows the link', leniency: 'contested' } as const
      for (const [index, operation] of (await readOperations(story)).entries()) {
        if (!operation.startsWith('commit')) continue
        await live(story, choices, ({ store }) => store.failAt(index + 1, 'lost'))
      }
    })
  },
)

const undisturbed = new Map<Story, Promise<readonly string[]>>()

/** The operations of a story that nothing disturbs. */
function readOperations(story: Story): Promise<readonly string[]> {
  const [habit] = habits
  const tell = async () => (await live(story, { habit }, ({ store }) => store.heal())).operations
  const operations = undisturbed.get(story) ?? tell()
  undisturbed.set(story, operations)
  return operations
}

describe('somewhere in some story', () => {
  it('two operations fail (60 schedules, seeded)', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const dice = createDice('two failures', seed)
      const story = dice.pick(stories)
      const { length } = await readOperations(story)
      const faults = new Map([pickFault(dice, length), pickFault(dice, length)])
      const choices = { habit: dice.pick(habits), leniency: 'lenient' } as const
      await live(story, choices, ({ store }) => store.failAtEach(faults))
    }
  })

  it('the store is down for a second, or for longer than a sign-in may take', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const dice = createDice('outage', seed)
      const story = dice.pick(stories)
      const begin = 1 + dice.below((await readOperations(story)).length)
      const seconds = dice.pick([1, 30, 300, 900])
      const choices = { habit: dice.pick(habits), leniency: 'lenient', slowness: 5 } as const
      await live(story, choices, (life) => fallDown(life, begin, seconds))
    }
  })
})

function pickFault(dice: Dice, length: number): [number, FailurePoint] {
  return [1 + dice.below(length), dice.pick(points)]
}

/** From its n-th operation on the store is down for so long. */
function fallDown({ store, clock }: Life, nth: number, seconds: number): void {
  let until: number | undefined
  store.failWhile(() => {
    if (store.operations.length >= nth) until ??= clock.now() + seconds
    return until !== undefined && clock.now() < until
  })
}
