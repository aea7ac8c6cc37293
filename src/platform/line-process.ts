/**
 * A program that is spoken to in lines over its standard input and output, as MCP has it for servers on the
 * same machine (MCP 2026-07-28 transports/stdio).
 *
 * It is started without a shell, so nothing in a configured argument is a command, and in a process group of
 * its own, so that what it starts ends with it: `npx` is never the server itself.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { createLineReader } from './lines.ts'

/** What to start. */
export interface Program {
  /** A name that is looked up in PATH, or a path. */
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment: nothing else of ours is passed on. */
  readonly env: Readonly<Record<string, string>>
  /** Default: our own working directory. */
  readonly cwd?: string | undefined
  /** Takes each line of standard error. */
  readonly onNote: (line: string) => void
}

/** A program that runs. */
export interface LineProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  /** What it writes, line by line; the next line is read when the last one was dealt with. */
  readonly lines: AsyncIterable<string>
  /** Resolves once it is over, or could not be started. */
  readonly ended: Promise<ProgramEnd>
  /** Writes a line; false when the program reads too slowly to take it, or is over. */
  write(line: string): boolean
  /** Ends it the gentle way first: end of input, SIGTERM, SIGKILL. Resolves once it is over. */
  stop(): Promise<void>
  /** The same for one that has no use any more, but was not asked to end. */
  finish(): Promise<void>
  /** Ends it and all that it started at once, for when there is no time left. */
  kill(): void
}

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** Why it could not be started, such as `ENOENT`. */
  readonly failure?: string | undefined
  /** True when we had asked it to. */
  readonly isStopped?: boolean | undefined
}

/** What is kept for a program that does not read, in bytes. */
const unreadBytesAllowed = 8 * 1024 * 1024

/** Longest line of a program, in characters: tools answer with images. */
const longestLine = 16 * 1024 * 1024
const longestNote = 4096

/** How long each way to end a program may take before the next one, in milliseconds. */
const farewellMs = 2000

/** How long what it started may take to end when the program itself is over, and output may still come from there. */
const lingeringMs = 500

const hasGroups = process.platform !== 'win32'

/** Starts a program. That it cannot be started is told by `ended`. */
export function startLineProcess(program: Program): LineProcess {
  const child = spawnSafely(program)
  if ('failure' in child) return toUnstarted(child)
  let isStopped = false
  let ending: Promise<void> | undefined
  const ended = waitForEnd(child, () => isStopped)
  void readNotes(child, program.onNote)
  // Whoever writes learns from `ended` that nobody reads any more.
  child.stdin?.on('error', () => undefined)
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  const finish = () => (ending ??= endGently(child, ended))
  return {
    pid: child.pid,
    lines: readLines(child),
    ended,
    write(line) {
      if (isOver || ending || !child.stdin) return false
      if (child.stdin.writableLength > unreadBytesAllowed) return false
      child.stdin.write(`${line}\n`)
      return true
    },
    stop() {
      isStopped = true
      return finish()
    },
    finish,
    kill: () => void signalAll(child, 'SIGKILL'),
  }
}

/** Some failures are thrown, such as arguments that are too long; most are told by the child. */
function spawnSafely({ command, args, env, cwd }: Program): ChildProcess | { failure: string } {
  try {
    return spawn(command, args, {
      env,
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: hasGroups,
      windowsHide: true,
    })
  } catch (error) {
    return { failure: toFailure(error) }
  }
}

function toFailure(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function toUnstarted(end: ProgramEnd): LineProcess {
  return {
    pid: undefined,
    lines: (async function* () {})(),
    ended: Promise.resolve(end),
    write: () => false,
    stop: async () => undefined,
    finish: async () => undefined,
    kill: () => undefined,
  }
}

function waitForEnd(child: ChildProcess, isAsked: () => boolean): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ failure: toFailure(error) })
    })
    child.once('exit', (exitCode, signal) => {
      const isStopped = isAsked()
      const end = { exitCode: exitCode ?? undefined, signal: signal ?? undefined, isStopped }
      void endRest(child).then(() => resolve(end))
    })
  })
}

/** Ends what a program started that is over itself: it has lost who speaks with it. */
async function endRest(child: ChildProcess): Promise<void> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  if (signalAll(child, 'SIGTERM')) {
    await wait(lingeringMs)
    signalAll(child, 'SIGKILL')
  }
  await isOverWithin(closed, lingeringMs)
  child.stdout?.destroy()
  child.stderr?.destroy()
  await closed
}

async function endGently(child: ChildProcess, ended: Promise<ProgramEnd>): Promise<void> {
  child.stdin?.end()
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (await isOverWithin(ended, farewellMs)) return
    signalAll(child, signal)
  }
  await ended
}

async function isOverWithin(ended: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), milliseconds)
  const isOver = await Promise.race([ended.then(() => true), promise])
  clearTimeout(timer)
  return isOver
}

/** To the program and all that it started; false when nobody is left. */
function signalAll(child: ChildProcess, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined) return false
  try {
    return hasGroups ? process.kill(-child.pid, signal) : child.kill(signal)
  } catch {
    return false
  }
}

/** Where no file descriptor is left there are no streams either. */
async function* readLines({ stdout }: ChildProcess): AsyncGenerator<string> {
  if (!stdout) return
  const read = createLineReader(longestLine)
  stdout.setEncoding('utf8')
  try {
    for await (const chunk of stdout) yield* read(String(chunk))
  } catch (error) {
    // The program is over, and so is what it would have said: `ended` tells.
    if (!isPrematureEnd(error)) throw error
  }
}

function isPrematureEnd(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

async function readNotes({ stderr }: ChildProcess, onNote: (line: string) => void): Promise<void> {
  if (!stderr) return
  const read = createLineReader(longestNote, 'cut')
  stderr.setEncoding('utf8')
  try {
    for await (const chunk of stderr) for (const line of read(String(chunk))) onNote(line)
  } catch {
    // What it wanted to say last is lost with it.
  }
}
