/** A measured server in a process of its own, seen from the measuring one. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createConnections, type Send } from './http.ts'
import { type Placement, readBusyMicroseconds, toNodeCommand } from './placement.ts'
import type { Answer, Command, ServerSpec, Started } from './servers/protocol.ts'

/** What was used so far, in microseconds. */
export interface CpuTime {
  /** By the process, all its threads together. */
  readonly own: number
  /** By everybody on its core; undefined where it has none to itself. */
  readonly core: number | undefined
}

/** A server that can be driven and measured. */
export interface MeasuredServer extends Started {
  /** Sends a request over a kept connection. */
  readonly send: Send
  /** CPU time so far, in microseconds. */
  readCpu(): Promise<CpuTime>
  /** Starts a CPU profile, or ends it and writes it to the file. */
  profile(file: string): Promise<void>
  /** Ends its process. */
  stop(): Promise<void>
}

const entry = fileURLToPath(new URL('./servers/process.ts', import.meta.url))
const startMilliseconds = 30_000

/** Starts one. Its output goes to the null device, as a log collector would take it away. */
export async function startServer(spec: ServerSpec, placement: Placement): Promise<MeasuredServer> {
  const [execPath, ...execArgv] = toNodeCommand(placement)
  const child = fork(entry, [], {
    execPath,
    execArgv,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), startMilliseconds)
  try {
    const told = await ask(child, { command: 'start', spec })
    if (told.answer === 'started') return toServer(child, told.started, placement)
    throw new Error(`${spec.kind}: ${told.answer === 'failed' ? told.message : told.answer}`)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function toServer(child: ChildProcess, started: Started, placement: Placement): MeasuredServer {
  const connections = createConnections(started.origin)
  return {
    ...started,
    send: connections.send,
    async readCpu() {
      const told = await ask(child, { command: 'cpu' })
      const own = told.answer === 'cpu' ? told.microseconds : Number.NaN
      return { own, core: readBusyMicroseconds(placement) }
    },
    async profile(file) {
      await ask(child, { command: 'profile', file })
    },
    async stop() {
      connections.close()
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** One command at a time, one answer each; rejects when the process ends instead. */
async function ask(child: ChildProcess, command: Command): Promise<Answer> {
  const settled = new AbortController()
  const { signal } = settled
  const gone = once(child, 'exit', { signal }).then(() => {
    throw new Error('The process of a measured server ended')
  })
  gone.catch(() => undefined)
  const answered = once(child, 'message', { signal }) as Promise<[Answer]>
  try {
    child.send(command)
    const [answer] = await Promise.race([answered, gone])
    return answer
  } finally {
    settled.abort()
  }
}
