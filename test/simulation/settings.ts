/** What a seed decides beforehand: the deployment, how rough the weather is, and what people try to do. */
import { createDice, type Dice } from './dice.ts'

/** The circumstances of a schedule. */
export interface Settings {
  readonly processes: number
  /** The probability that a store operation fails. */
  readonly faultRate: number
  readonly hintLoss: number
  /** Clocks of processes are off by up to so many seconds. */
  readonly skewSeconds: number
  readonly onReuse: 'revoke' | 'refuse'
  readonly reuseRegistrations: boolean
}

/** What somebody does; `actions.ts` says how. */
export const kinds = [
  'register',
  'connect',
  'refresh',
  'lose-answer',
  'live-on',
  'steal',
  'replay-code',
  'guess-verifier',
  'revoke',
  'revoke-access',
  'introspect',
  'use',
  'remove-user',
  'crash',
  'restart',
  'wait',
  'move-clock',
  'outage',
] as const

export type Kind = (typeof kinds)[number]

/** How often each is done, relative to each other. */
const weights: Record<Kind, number> = {
  register: 6,
  connect: 14,
  refresh: 22,
  'lose-answer': 8,
  'live-on': 2,
  steal: 6,
  'replay-code': 5,
  'guess-verifier': 3,
  revoke: 4,
  'revoke-access': 3,
  introspect: 6,
  use: 8,
  'remove-user': 2,
  crash: 6,
  restart: 3,
  wait: 8,
  'move-clock': 4,
  outage: 3,
}

const urn = kinds.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind))

/** One thing that somebody does in a schedule. */
export interface Step {
  /** Its place in the schedule; stays when others are left out. */
  readonly index: number
  readonly kind: Kind
  readonly dice: Dice
  /** Whether it is waited for before the next one begins. */
  readonly isAlone: boolean
}

/** The whole plan of a seed. */
export interface Plan {
  readonly settings: Settings
  readonly steps: readonly Step[]
}

/** The plan that follows from a seed. */
export function createPlan(seed: number): Plan {
  const dice = createDice(seed, 'plan')
  const settings: Settings = {
    processes: 1 + dice.below(3),
    faultRate: dice.pick([0, 0, 0, 0.01, 0.05, 0.15]),
    hintLoss: dice.pick([0, 0, 0.3, 1]),
    skewSeconds: dice.pick([0, 0, 0, 5, 12]),
    onReuse: dice.chance(0.8) ? 'revoke' : 'refuse',
    reuseRegistrations: dice.chance(0.3),
  }
  const togetherness = dice.next()
  const first: Kind[] = ['register', 'connect']
  const count = 8 + dice.below(24)
  const steps = Array.from({ length: count }, (_, index) => ({
    index,
    kind: first[index] ?? dice.pick(urn),
    dice: createDice(seed, 'step', index),
    isAlone: index < first.length || !dice.chance(togetherness),
  }))
  return { settings, steps }
}
