/** What befalls processes, their clocks and their store. */
import type { Dice } from './dice.ts'
import type { Stage } from './requests.ts'

const day = 86_400

/** Seconds around every limit that the rules know. */
const waits = [
  [1, 1, 2, 3, 10, 59, 61, 119, 121, 130, 300, 600, 3599, 3700, 40_000],
  [86_300, 90_000, 8 * day, 29 * day, 31 * day, 300 * day],
].flat()
const jumps = [-1, -2, -5, 1, 3, 30, 125, 3700, 90_000]

/** Time passes, and timers notice. */
export async function letTimePass({ world }: Stage, dice: Dice): Promise<void> {
  world.moveClock(dice.pick(waits), true)
}

/** Somebody sets the clock; no timer notices. */
export async function moveClock({ world }: Stage, dice: Dice): Promise<void> {
  world.moveClock(dice.pick(jumps), false)
}

/** The store fails for a while, if it ever does. */
export async function breakStore({ world }: Stage, dice: Dice): Promise<void> {
  if (world.settings.faultRate > 0) world.outage = 1 + dice.below(40)
}

/** One dies, and is started again some time later. */
export async function crashProcess({ world }: Stage, dice: Dice): Promise<void> {
  const up = world.processes.filter(({ gatehouse }) => gatehouse)
  if (up.length === 0) return
  const process = dice.pick(up)
  world.crash(process)
  for (let turns = dice.below(10); turns > 0; turns--) await world.scheduler.turn()
  await world.start(process.name)
}

/** A rolling restart: the new one first, then the old one stops. */
export async function restartProcess({ world }: Stage, dice: Dice): Promise<void> {
  const up = world.processes.filter(({ gatehouse }) => gatehouse)
  if (up.length === 0) return
  const old = dice.pick(up)
  await world.start(old.name)
  await world.stop(old)
}
