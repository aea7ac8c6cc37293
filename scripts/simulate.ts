/**
 * `npm run simulate -- [--count 10000] [--seed N] [--only 0,1,5] [--trace]`: random schedules of the whole server.
 *
 * Seeds count up from `--seed`. The first schedule that breaks a rule is shortened and printed with the
 * command that replays it; the exit code is 1 then. `--only` leaves out all other steps of the plan.
 */
import { parseArgs } from 'node:util'
import { runSchedule } from '../test/simulation/run.ts'
import { formatFailure, shrinkSchedule } from '../test/simulation/shrink.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})
const count = toNumber('count', values.count)
const first = toNumber('seed', values.seed)
const only = values.only?.split(',').map((index) => toNumber('only', index))

function toNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  console.error(`--${name} takes a whole number, not "${text}"`)
  process.exit(2)
}

/** A line that replaces itself on a terminal; elsewhere one every thousand schedules. */
function reportProgress(done: number, tasks: number): void {
  const seconds = (performance.now() - startedAt) / 1000
  const left = ((seconds / done) * (count - done)).toFixed(0)
  const line = `${done} of ${count} schedules, ${tasks} tasks, ${seconds.toFixed(0)} s, ${left} s left`
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  else if (done % 1000 === 0) console.error(line)
}

const startedAt = performance.now()
let tasks = 0
for (let done = 0; done < count; done++) {
  const result = await runSchedule(first + done, { only })
  tasks += result.tasks
  if (values.trace) console.log(result.lines.join('\n'))
  if (result.failure) {
    const short = only ? result : await shrinkSchedule(result)
    console.log(`\n${formatFailure(result, short)}`)
    process.exit(1)
  }
  if ((done + 1) % 20 === 0) reportProgress(done + 1, tasks)
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(`\n${count} schedules from seed ${first} hold, ${tasks} tasks in ${seconds} s`)
