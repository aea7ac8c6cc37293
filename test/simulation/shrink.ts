/** Makes a failing schedule short: leaves out every step without which the same rule is still broken. */
import { Violation } from './model.ts'
import { type Result, type RunOptions, runSchedule } from './run.ts'

/** A failing schedule with as few steps as can be had by leaving out one at a time. */
export async function shrinkSchedule(failed: Result, options: RunOptions = {}): Promise<Result> {
  let best = failed
  for (let isShorter = true; isShorter; ) {
    isShorter = false
    for (const { index } of best.steps) {
      const only = best.steps.map((step) => step.index).filter((other) => other !== index)
      const attempt = await runSchedule(failed.seed, { ...options, only })
      if (nameRule(attempt) !== nameRule(failed)) continue
      best = attempt
      isShorter = true
      break
    }
  }
  return best
}

/** The rule that a schedule broke; undefined when it broke none. */
export function nameRule({ failure }: Result): string | undefined {
  if (failure === undefined) return undefined
  return failure instanceof Violation ? failure.rule : failure.message
}

/** The command that replays a schedule. */
export function nameCommand({ seed, steps }: Result, isWhole: boolean): string {
  const only = isWhole ? '' : ` --only ${steps.map(({ index }) => index).join(',')}`
  return `npm run simulate -- --seed ${seed} --count 1${only}`
}

/** What happened, for people: the circumstances, every event, the broken rule and how to see it again. */
export function formatFailure(whole: Result, short: Result): string {
  const settings = Object.entries(short.settings).map(([name, value]) => `${name} ${value}`)
  return [
    `seed ${whole.seed}: ${whole.failure?.message}`,
    settings.join(', '),
    '',
    ...short.lines.map((line) => `  ${line}`),
    '',
    `again:   ${nameCommand(whole, true)}`,
    `shorter: ${nameCommand(short, false)}`,
  ].join('\n')
}
