/** What the owner reads in the log about a program: what it says on standard error, and how it ends. */
import type { RequestContext } from '../../context.ts'
import type { ProgramEnd } from '../../platform/line-process.ts'
import type { StdioBackend } from './request-fields.ts'

/** The log of one program. */
export interface Notes {
  begin(pid: number | undefined): void
  /** A line of standard error. */
  take(line: string): void
  /** A line of standard output that is no message. */
  mistake(line: string): void
  /** Its output cannot be read any further. */
  complain(error: unknown): void
  end(end: ProgramEnd, isStopped: boolean): void
}

/** Lines that one program may log within this time, in milliseconds. What is more is counted. */
const linesAllowed = 100
const windowMs = 10_000

/** Lines of standard error that go with the news of its end. */
const lastWords = 8

/** What a program is called in the log. */
export function createNotes(backend: StdioBackend, { log, exchange }: RequestContext): Notes {
  const fields = { backend: backend.id, command: backend.program.command }
  const { requestId } = exchange
  const last: string[] = []
  let pid: number | undefined
  let hasErred = false
  let windowEnd = 0
  let count = 0
  let dropped = 0
  const mayLog = (): boolean => {
    const now = performance.now()
    if (now >= windowEnd) {
      if (dropped > 0) log.info('A program said more than is logged', { ...fields, pid, dropped })
      ;[windowEnd, count, dropped] = [now + windowMs, 0, 0]
    }
    count += 1
    if (count > linesAllowed) dropped += 1
    return count <= linesAllowed
  }
  return {
    begin(started) {
      pid = started
      if (pid !== undefined) log.info('A program was started', { ...fields, pid, requestId })
    },
    take(line) {
      last.push(line)
      if (last.length > lastWords) last.shift()
      if (mayLog()) log.info('A program says', { ...fields, pid, line })
    },
    mistake(line) {
      if (hasErred) return
      hasErred = true
      log.warn(
        'A program wrote to its standard output what is no MCP message; its log belongs on standard error',
        { ...fields, pid, line: line.slice(0, 200) },
      )
    },
    complain(error) {
      log.error('A program is stopped, for its output cannot be read', { ...fields, pid, error })
    },
    end({ exitCode, signal, failure }, isStopped) {
      if (isStopped) return log.debug('A program was stopped', { ...fields, pid, exitCode, signal })
      if (failure !== undefined)
        return log.error(`A program cannot be started: ${toReason(failure)}`, fields)
      const lines = last.join('\n')
      log.warn('A program ended by itself', { ...fields, pid, exitCode, signal, lastWords: lines })
    },
  }
}

function toReason(failure: string): string {
  if (failure === 'ENOENT') return 'there is no such command, or its cwd is missing'
  if (failure === 'EACCES') return 'it may not be run'
  return failure
}
