/** Where a process dies, and how one is started and ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The n-th commit, before or after it took effect, or the n-th response, just before it is sent. */
export interface FailPoint {
  readonly at: 'before-commit' | 'after-commit' | 'before-response'
  readonly count: number
}

/** The issuer of the processes under test; they listen elsewhere on loopback. */
export const crashIssuer = 'http://localhost:8787'

const running = new Set<ChildProcess>()

/** Ends whatever a failed test left running; for `afterEach`. */
export async function endProcesses(): Promise<void> {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(
    [...running].map((child) => new Promise((resolve) => child.once('close', resolve))),
  )
}

/** A process that serves. */
export interface Served {
  readonly origin: string
  /** Ends it like a power cut. */
  kill(): Promise<void>
  /** Asks it to stop, as a service manager does; it finishes what is in flight. */
  stop(): Promise<void>
  /** Resolves when it died, by whatever. */
  readonly dead: Promise<void>
}

const program = new URL('./gatehouse-process.ts', import.meta.url)

/**
 * Starts a Gatehouse over a store and waits until it listens.
 *
 * @param place the store's URL, or the path of a SQLite file
 * @param backend the URL of the MCP server behind it; nobody by default
 */
export function startProcess(
  place: string,
  point: FailPoint | null = null,
  backend = 'http://127.0.0.1:9/mcp',
): Promise<Served> {
  return startProgram(program, [place, JSON.stringify(point), backend])
}

/** Starts a program that prints its address on the first line, and waits for that. */
export async function startProgram(file: URL, given: readonly string[]): Promise<Served> {
  const child = spawn(process.execPath, [fileURLToPath(file), ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.add(child)
  const dead = new Promise<void>((resolve) =>
    child.once('close', () => {
      running.delete(child)
      resolve()
    }),
  )
  const origin = await readAddress(child)
  return {
    origin,
    dead,
    kill: async () => {
      child.kill('SIGKILL')
      await dead
    },
    stop: async () => {
      child.kill('SIGTERM')
      await dead
    },
  }
}

async function readAddress({ stdout }: ChildProcess): Promise<string> {
  if (stdout) for await (const line of createInterface({ input: stdout })) return line
  throw new Error('The process ended before it listened')
}
