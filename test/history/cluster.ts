/** Four Gatehouse processes over one store, and whoever kills them. */
import { type Served, startProcess } from '../crash/fail-point.ts'
import type { Dice } from '../simulation/dice.ts'

/** Processes that come and go. */
export interface Cluster {
  /** The address of one of those that should be up. */
  pick(): string
  /** Ends one like a power cut, and starts another one in its place. */
  replaceOne(): Promise<void>
  readonly kills: number
  stop(): Promise<void>
}

const startAttempts = 20

/** Starts the processes at the same moment, on what may be an empty store. */
export async function startCluster(place: string, count: number, dice: Dice): Promise<Cluster> {
  const running: Served[] = await Promise.all(Array.from({ length: count }, () => startAnew(place)))
  let kills = 0
  return {
    pick: () => dice.pick(running).origin,
    async replaceOne() {
      const victim = dice.pick(running)
      await victim.kill()
      kills += 1
      const next = await startAnew(place)
      running[running.indexOf(victim)] = next
    },
    get kills() {
      return kills
    },
    async stop() {
      await Promise.all(running.map((served) => served.stop()))
    },
  }
}

/** While the database is away a process does not start, and the service manager tries again. */
async function startAnew(place: string): Promise<Served> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startProcess(place)
    } catch (error) {
      if (attempt === startAttempts) throw error
    }
  }
}
