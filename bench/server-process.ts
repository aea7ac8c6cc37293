/** A measured server in a process of its own, seen from the measuring one. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import type { Reply, Send } from './client.ts'
import {
  type Answer,
  type Command,
  lanes,
  type ServerSpec,
  type Started,
} from './servers/protocol.ts'

/** A server that can be driven and measured. */
export interface MeasuredServer extends Started {
  /** Sends a request over a kept connection. */
  readonly send: Send
  /** CPU time of its process so far, in microseconds. */
  readCpu(): Promise<number>
  /** Ends its process. */
  stop(): Promise<void>
}

const entry = fileURLToPath(new URL('./servers/process.ts', import.meta.url))
const startMilliseconds = 20_000

/** Starts one. Its output goes to the null device, as a log collector would take it away. */
export async function startServer(spec: ServerSpec): Promise<MeasuredServer> {
  const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), startMilliseconds)
  try {
    const told = await ask(child, { command: 'start', spec })
    if (told.answer !== 'started') throw new Error(`${spec.kind}: ${JSON.stringify(told)}`)
    return toServer(child, told.started)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function toServer(child: ChildProcess, started: Started): MeasuredServer {
  const pool = new Pool(started.origin, { connections: lanes, pipelining: 1 })
  return {
    ...started,
    send: (message) => exchange(pool, message),
    async readCpu() {
      const told = await ask(child, { command: 'cpu' })
      return told.answer === 'cpu' ? told.microseconds : Number.NaN
    },
    async stop() {
      await pool.destroy()
      if (child.exitCode !== null) return
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

async function exchange(
  pool: Pool,
  { method, path, headers, body }: Parameters<Send>[0],
): Promise<Reply> {
  const answer = await pool.request({ method, path, headers, body: body ?? null })
  const { 'content-type': type, location, 'set-cookie': cookies } = answer.headers
  return {
    status: answer.statusCode,
    type: toText(type) ?? '',
    location: toText(location),
    cookies: typeof cookies === 'string' ? [cookies] : (cookies ?? []),
    body: await answer.body.text(),
  }
}

function toText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
