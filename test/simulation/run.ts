/** Runs one schedule: the plan of a seed, then calm, then everything is looked at. */
import { createHash } from 'node:crypto'
import { memoryStore } from '../../src/storage/memory.ts'
import { actions } from './actions.ts'
import { createModel } from './model.ts'
import type { Stage } from './requests.ts'
import { createPlan, type Settings, type Step } from './settings.ts'
import { verifyEnd } from './verify.ts'
import { createWorld, type MakeStore, type World } from './world.ts'

/** What came of a schedule. */
export interface Result {
  readonly seed: number
  readonly settings: Settings
  /** The steps that were done. */
  readonly steps: readonly Step[]
  /** SHA-256 of everything that happened: equal for equal seeds. */
  readonly hash: string
  readonly lines: readonly string[]
  /** How many requests were made, store operations among them. */
  readonly tasks: number
  readonly failure?: Error
}

/** How to run a schedule. */
export interface RunOptions {
  /** Only these steps of the plan. Default: all. */
  only?: readonly number[] | undefined
  /** Default: the memory store. */
  makeStore?: MakeStore
}

/** Runs the schedule of a seed. Never throws for what the server does. */
export async function runSchedule(seed: number, options: RunOptions = {}): Promise<Result> {
  const { settings, steps: all } = createPlan(seed)
  const { only } = options
  const steps = only ? all.filter(({ index }) => only.includes(index)) : all
  const world = await createWorld(seed, settings, options.makeStore ?? memoryStore)
  const stage: Stage = { world, model: createModel() }
  let failure: Error | undefined
  try {
    await perform(stage, steps)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    world.trace(`VIOLATION ${failure.message}`)
  }
  await world.end()
  const { lines, scheduler } = world
  const hash = createHash('sha256').update(lines.join('\n')).digest('hex')
  return { seed, settings, steps, hash, lines, tasks: scheduler.steps, ...(failure && { failure }) }
}

async function perform(stage: Stage, steps: readonly Step[]): Promise<void> {
  const { world } = stage
  const errand = createErrands(world)
  for (let n = 1; n <= world.settings.processes; n++) await errand.do(world.start(`p${n}`))
  for (const { index, kind, dice, isAlone } of steps) {
    world.trace(`── ${index} ${kind}`)
    const work = actions[kind](stage, dice)
    if (isAlone) await errand.do(work)
    else await errand.begin(work)
  }
  await errand.finish()
  world.isRough = false
  await errand.do(verifyEnd(stage))
}

/** Keeps track of what goes on at the same time; the first that fails is thrown. */
function createErrands({ scheduler, dice }: World) {
  let running = 0
  let failure: Error | undefined

  const watch = (work: Promise<void>): { isDone: boolean } => {
    const state = { isDone: false }
    running += 1
    work
      .catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error))
      })
      .finally(() => {
        state.isDone = true
        running -= 1
      })
    return state
  }
  const check = (): void => {
    if (failure) throw failure
  }
  return {
    async do(work: Promise<void>) {
      const state = watch(work)
      await scheduler.runUntil(() => state.isDone || failure !== undefined)
      check()
    },
    async begin(work: Promise<void>) {
      watch(work)
      await scheduler.run(dice.below(12))
      check()
    },
    async finish() {
      await scheduler.runUntil(() => running === 0 || failure !== undefined)
      check()
    },
  }
}
