/**
 * How far long work has come, on standard error: one line that is drawn again and again at a terminal,
 * a line every few seconds in a pipe or a log, nothing with `--json`.
 */

/** Told of every step. */
export interface Progress {
  /** @param total changes when the work turns out to be more, or less */
  show(done: number, total: number): void
  /** Takes the bar away. */
  end(): void
}

/** Where progress goes and whose time it goes by; for tests. */
export interface ProgressPorts {
  readonly stream: {
    readonly isTTY?: boolean
    readonly columns?: number
    write(text: string): unknown
  }
  /** Milliseconds. */
  readonly now: () => number
}

const barCells = 24
const redrawMilliseconds = 100
const lineMilliseconds = 5000

const ownProcess = { stream: process.stderr, now: () => performance.now() }

/** Progress of the work called `label`, such as `Copying`. */
export function createProgress(
  label: string,
  isSilent: boolean,
  { stream, now }: ProgressPorts = ownProcess,
): Progress {
  if (isSilent) return { show: () => {}, end: () => {} }
  const isTerminal = stream.isTTY === true
  const startedAt = now()
  let shownAt = isTerminal ? Number.NEGATIVE_INFINITY : startedAt
  let isDrawn = false
  return {
    show(done, total) {
      const at = now()
      if (at - shownAt < (isTerminal ? redrawMilliseconds : lineMilliseconds)) return
      shownAt = at
      const text = `${label}  ${renderProgress(done, total, (at - startedAt) / 1000, isTerminal)}`
      if (!isTerminal) return void stream.write(`${text}\n`)
      isDrawn = true
      stream.write(`\r\u001b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    end() {
      if (isDrawn) stream.write('\r\u001b[2K')
      isDrawn = false
    },
  }
}

/** `[######------------------]  25 %  2,500 of 10,000  1,250/s  6 s left`. */
export function renderProgress(
  done: number,
  total: number,
  seconds: number,
  hasBar: boolean,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 0
  const filled = Math.round(share * barCells)
  const bar = hasBar ? [`[${'#'.repeat(filled)}${'-'.repeat(barCells - filled)}]`] : []
  const rate = seconds > 0 ? done / seconds : 0
  const left = rate > 0 ? [renderDuration(Math.max(0, total - done) / rate)] : []
  return [
    ...bar,
    `${String(Math.floor(share * 100)).padStart(3)} %`,
    `${renderCount(done)} of ${renderCount(Math.max(done, total))}`,
    `${renderCount(Math.round(rate))}/s`,
    ...left,
  ].join('  ')
}

function renderDuration(seconds: number): string {
  const whole = Math.ceil(seconds)
  return whole < 120 ? `${whole} s left` : `${Math.ceil(whole / 60)} min left`
}

/** `12,300`. */
export function renderCount(count: number): string {
  return count.toLocaleString('en-US')
}
