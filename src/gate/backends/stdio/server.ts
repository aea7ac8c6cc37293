/**
 * An MCP server that is a program of ours (MCP stdio transport, every revision): started for one caller,
 * spoken to over its standard input and output, and over when either side says so.
 */
import type { RequestContext } from '../../../context.ts'
import { OAuthError } from '../../../errors.ts'
import type { LineProcess, ProgramEnd } from '../../../platform/line-process.ts'
import { writeOut } from '../../../platform/printable.ts'
import { type Message, parseMessages } from '../bridge/messages.ts'
import type { StdioBackend } from '../request-fields.ts'
import type { ProgramEnvironment } from './environment.ts'
import { createNotes, type Notes } from './notes.ts'
import { createPauses, notStarting, type Pauses } from './pauses.ts'
import { createRoom } from './places.ts'

/** A server that runs. */
export interface StdioServer {
  /** Aborted when it is over, with what a client is told as its reason. */
  readonly over: AbortSignal
  /**
   * Hands over one message.
   *
   * @throws OAuthError with status 502 when the server is over, 503 when it does not read
   */
  write(message: Pick<Message, 'text'>): void
}

/** Why a request is not answered whose server is over. */
export const programEnded = 'program_ended'

/** For whom a server is started. */
export interface StdioStart {
  readonly userId: string
  readonly environment: ProgramEnvironment
  readonly context: RequestContext
  /** Aborted when it is not wanted any more; it is stopped then. */
  readonly signal: AbortSignal
  /** Whether it is asked what it may not understand: when it ends then, that is no fault to wait after. */
  readonly isTried?: boolean
  /** Takes each message of the server; the next one waits for it. */
  readonly onMessage: (message: Message) => Promise<void>
}

/**
 * Starts a server.
 *
 * It waits for room where those that are ending take it.
 *
 * @throws OAuthError with status 503 while it is not tried again, or when it is not wanted any more
 */
export type StartStdioServer = (start: StdioStart) => Promise<StdioServer>

/** The servers of one backend. */
export function createStdioServers(backend: StdioBackend): StartStdioServer {
  const pauses = createPauses()
  const enter = createRoom(backend.program)
  return async (start) => {
    const { userId, environment, context } = start
    pauses.verify(userId)
    const notes = createNotes(backend, context)
    const { command, args, cwd } = backend.program
    const env = environment.variables
    const program = { command, args, cwd, env, onNote: notes.take }
    const leave = await enter(start)
    const running = await context.programs.start(program).catch((error: unknown) => {
      leave()
      throw error
    })
    void running.ended.then(leave)
    notes.begin(running.pid)
    return toServer(running, { start, notes, pauses })
  }
}

/** What goes with a program that runs. */
interface Surroundings {
  readonly start: StdioStart
  readonly notes: Notes
  readonly pauses: Pauses
}

function toServer(running: LineProcess, { start, notes, pauses }: Surroundings): StdioServer {
  const { userId, signal, onMessage, isTried = false } = start
  const ending = new AbortController()
  let hasSpoken = false
  let hasFailed = false
  const stop = () => void running.stop()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const fail = (): void => {
    if (hasSpoken) return
    hasFailed = true
    pauses.note(userId)
  }
  void running.ended.then((end) => {
    const isFault = !isTried || end.failure !== undefined
    if (isFault && !end.isStopped) fail()
    notes.end(end)
    ending.abort(hasFailed ? notStarting(toPause(end)) : serverEnded())
  })
  const take = async (message: Message): Promise<void> => {
    if (!hasSpoken) pauses.forget(userId)
    hasSpoken = true
    await onMessage(message)
  }
  void receive(running, { take, notes })
    .catch((error: unknown) => {
      notes.complain(error)
      fail()
      stop()
    })
    // Who says nothing any more has no use, though it may still run.
    .finally(() => void running.finish())
  return {
    over: ending.signal,
    write({ text }) {
      if (running.write(toLine(text))) return
      if (ending.signal.aborted) throw ending.signal.reason
      throw notReading()
    },
  }
}

/** Some readers end a line at characters that JSON leaves as they are within a text. */
function toLine(text: string): string {
  return text.replace(/[\u0085\u2028\u2029]/g, writeOut)
}

async function receive(
  { lines }: LineProcess,
  { take, notes }: { take: (message: Message) => Promise<void>; notes: Notes },
): Promise<void> {
  for await (const line of lines) {
    if (line.trim() === '') continue
    for (const message of readLine(line, notes)) await take(message)
  }
}

/** Many servers greet on standard output, where only messages belong: that is no reason to stop. */
function readLine(line: string, notes: Notes): readonly Message[] {
  try {
    return parseMessages(line)
  } catch {
    notes.mistake(line)
    return []
  }
}

/** What is not there will not be there in a second. */
function toPause({ failure }: ProgramEnd): number {
  return failure === undefined ? 1 : 30
}

/** What a client is told of a server that is over. */
export function serverEnded(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server ended; try again', {
    status: 502,
    reason: programEnded,
    retryAfterSeconds: 1,
  })
}

function notReading(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server is busy; try again', {
    status: 503,
    reason: 'program_not_reading',
    retryAfterSeconds: 5,
  })
}
