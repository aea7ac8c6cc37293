/**
 * One thread of fate: everything that waits (a request under way, a store operation, a hint, a timer)
 * is a task, and the dice say which goes next. No real timer runs.
 *
 * Between two tasks all promises settle, so that the order of events follows from the seed alone. The
 * one thing that really happens elsewhere, making a key, is waited for.
 */
import type { Dice } from './dice.ts'
import { origins } from './origin.ts'

/** Runs tasks, one at a time. */
export interface Scheduler {
  /** Tasks run so far. */
  readonly steps: number
  add(task: () => void): void
  /** Resolves when it is its turn. */
  turn(): Promise<void>
  /** Runs tasks until the condition holds; when none are left, time passes until a timer makes one. */
  runUntil(isDone: () => boolean): Promise<void>
  /** Runs at most so many tasks. */
  run(count: number): Promise<void>
  /** Runs tasks until none are left. */
  drain(): Promise<void>
  /** Lets time pass: each timer that is due becomes a task, once, as after a sleep of the machine. */
  pass(milliseconds: number): void
  /** Gives the real timers and the real chance back. */
  restore(): void
}

/** Far more than any schedule needs: whoever waits longer waits for ever. */
const mostSteps = 200_000
const mostIdleTimers = 500

/** Takes the place of the timers and of `Math.random` until it is told to restore them. */
export function createScheduler(dice: Dice): Scheduler {
  const timers = installTimers((task) => tasks.push(task))
  const crypto = watchCrypto()
  const random = Math.random
  Math.random = dice.next
  const tasks: (() => void)[] = []
  let steps = 0

  const settle = async (): Promise<void> => {
    do await new Promise<void>((resolve) => realImmediate(resolve))
    while (crypto.isBusy())
  }
  const step = async (): Promise<boolean> => {
    await settle()
    const at = dice.below(tasks.length)
    const task = tasks[at]
    if (!task) return false
    tasks[at] = tasks.at(-1) ?? task
    tasks.pop()
    steps += 1
    if (steps > mostSteps) throw new Error('The schedule does not end')
    task()
    await settle()
    return true
  }

  const add = (task: () => void): void => void tasks.push(task)
  return {
    get steps() {
      return steps
    },
    add,
    turn: () => new Promise((resolve) => add(resolve)),
    async runUntil(isDone) {
      for (let idle = 0; ; ) {
        await settle()
        if (isDone()) return
        if (await step()) continue
        idle += 1
        if (idle > mostIdleTimers) throw new Error('Something waits for what never comes')
        timers.passToNext()
      }
    },
    async run(count) {
      for (let done = 0; done < count && (await step()); done++);
    },
    async drain() {
      while (await step());
    },
    pass: timers.pass,
    restore() {
      timers.restore()
      crypto.restore()
      Math.random = random
    },
  }
}

const realImmediate = setImmediate

interface Timer {
  due: number
  /** Absent: fires once. */
  readonly everyMs?: number
  readonly fire: () => void
}

/** Replaces `setTimeout` and `setInterval`. A timer ends with the process that set it. */
function installTimers(addTask: (task: () => void) => void) {
  const real = { setTimeout, setInterval, clearTimeout, clearInterval }
  const timers = new Set<Timer>()
  let now = 0

  const set = (callback: () => void, milliseconds: number, everyMs?: number): object => {
    const origin = origins.getStore()
    const fire = (): void => {
      if (origin === undefined) callback()
      else if (origin.owner.isAlive) origins.run(origin, callback)
    }
    const timer: Timer = {
      due: now + milliseconds,
      fire,
      ...(everyMs !== undefined && { everyMs }),
    }
    timers.add(timer)
    return Object.assign(timer, { ref: () => timer, unref: () => timer })
  }
  const clear = (timer: Timer | undefined): void => {
    if (timer) timers.delete(timer)
  }
  Object.assign(globalThis, {
    setTimeout: (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      set(() => callback(...args), ms),
    setInterval: (callback: () => void, ms = 0) => set(callback, ms, Math.max(1, ms)),
    clearTimeout: clear,
    clearInterval: clear,
  })

  const pass = (milliseconds: number): void => {
    now += milliseconds
    const due = [...timers].filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due)
    for (const timer of due) {
      if (timer.everyMs === undefined) timers.delete(timer)
      else timer.due = now + timer.everyMs
      addTask(timer.fire)
    }
  }
  return {
    pass,
    passToNext: () => pass(Math.max(0, Math.min(...[...timers].map(({ due }) => due - now)))),
    restore: () => void Object.assign(globalThis, real),
  }
}

/** Counts the calls of Web Crypto that are under way: the only work that leaves the thread. */
function watchCrypto() {
  const prototype = Object.getPrototypeOf(globalThis.crypto.subtle) as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >
  const names = ['generateKey', 'exportKey', 'digest']
  const originals = names.map((name) => [name, prototype[name]] as const)
  let busy = 0
  for (const [name, original] of originals) {
    prototype[name] = async function (this: unknown, ...args) {
      busy += 1
      try {
        return await original?.apply(this, args)
      } finally {
        busy -= 1
      }
    }
  }
  return {
    isBusy: () => busy > 0,
    restore: () => void Object.assign(prototype, Object.fromEntries(originals)),
  }
}
