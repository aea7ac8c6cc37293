/** What the owner reads in the log about a program: what it says on standard error, and how it ends. */
import type { RequestContext } from '../../../context.ts'
import type { ProgramEnd } from '../../../platform/line-process.ts'
import { createLastWords, describeFailure } from '../../../platform/program-words.ts'
import type { StdioBackend } from '../request-fields.ts'

/** The log of one program. */
export interface Notes {
  begin(pid: number | undefined): void
  /** A line of standard error. */
  take(line: string): void
  /** A line of standard output that is no message. */
  mistake(line: string): void
  /** Its output cannot be read any further. */
  complain(error: unknown): void
  end(end: ProgramEnd): void
}

/** Lines that one program may log within this time, in milliseconds. What is more is counted. */
const linesAllowed = 100
const windowMs = 10_000

/** What a program is called in the log. */
export function createNotes(
  backend: StdioBackend,
  { log, exchange, metrics }: RequestContext,
): Notes {
  const count = (outcome: 'started' | 'stopped' | 'ended' | 'failed') =>
    metrics.count('programs', { backend: backend.id, outcome })
  const fields = { backend: backend.id, command: backend.program.command }
  const request_id = exchange.requestId
  const last = createLastWords()
  let pid: number | undefined
  let hasErred = false
  const mayLog = createLineWindow((dropped) =>
    log.info('A program said more than is logged', { ...fields, pid, dropped }),
  )
  return {
    begin(started) {
      pid = started
      if (pid === undefined) return
      count('started')
      log.info('A program was started', { ...fields, pid, request_id })
    },
    take(line) {
      if (line.trim() === '') return
      last.hear(line)
      if (mayLog()) log.info('A program says', { ...fields, pid, line })
    },
    mistake(line) {
      const start = line.slice(0, 200)
      // How it is to be used, many say there before they end.
      last.hear(start)
      if (hasErred) return
      hasErred = true
      log.warn(
        'A program wrote to its standard output what is no MCP message; its log belongs on standard error',
        { ...fields, pid, line: start },
      )
    },
    complain(error) {
      log.error('A program is stopped, for its output cannot be read', { ...fields, pid, error })
    },
    end({ exitCode, signal, failure, isStopped }) {
      count(failure === undefined ? toOutcome(isStopped) : 'failed')
      if (isStopped) return log.debug('A program was stopped', { ...fields, pid, exitCode, signal })
      if (failure !== undefined)
        return log.error(
          `A program cannot be started: ${describeFailure(failure, fields.command)}`,
          fields,
        )
      const lines = last.list().join('\n')
      log.warn('A program ended by itself', { ...fields, pid, exitCode, signal, lastWords: lines })
    },
  }
}

/** Whether another line may be logged now; `tell` is called with how many were not. */
function createLineWindow(tell: (dropped: number) => void): () => boolean {
  let windowEnd = 0
  let seen = 0
  return () => {
    const now = performance.now()
    if (now >= windowEnd) {
      if (seen > linesAllowed) tell(seen - linesAllowed)
      windowEnd = now + windowMs
      seen = 0
    }
    seen += 1
    return seen <= linesAllowed
  }
}

function toOutcome(isStopped = false): 'stopped' | 'ended' {
  return isStopped ? 'stopped' : 'ended'
}
