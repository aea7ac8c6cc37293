/**
 * The writing thread as the main thread sees it: started with the first write, started again when it
 * died, and asked one thing after the other.
 */
import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { unavailable } from '../errors.ts'
import type { Batch } from './sqlite-batch.ts'

/** What the thread is started with. */
export interface ThreadSettings {
  readonly path: string
}

/** What the thread is asked. */
export type ThreadRequest =
  | { readonly kind: 'write'; readonly batch: Batch }
  /** What its connection knows of commits by others. */
  | { readonly kind: 'look' }

/** What it answers. */
export type ThreadReply =
  | { readonly kind: 'done'; readonly done: readonly number[] }
  /** SQLite's `data_version`: it changes when another connection committed. */
  | { readonly kind: 'seen'; readonly version: number }
  | { readonly kind: 'failed'; readonly result: string | undefined; readonly error: unknown }

/** The one way to write to the file. */
export interface WriterThread {
  /**
   * Writes a batch; keeps the process alive until that is done.
   *
   * @returns of each piece how much was done
   * @throws OAuthError `temporarily_unavailable` with reason `store_<result>`, or `store_thread_died`: then
   *   it is unknown whether the batch took effect
   */
  write(batch: Batch): Promise<readonly number[]>
  /**
   * Whether another process may have committed since the last look, or since this was created.
   *
   * @throws OAuthError as `write` does
   */
  look(): Promise<boolean>
  /** Lets the thread close its connection and end. */
  end(): Promise<void>
}

/** What a thread is made for. */
export interface ThreadOptions {
  readonly path: string
  /** `data_version` of the main thread's connection. */
  readVersion(): unknown
}

/** Creates the handle. The thread itself starts when it is first asked something. */
export function createWriterThread({ path, readVersion }: ThreadOptions): WriterThread {
  const versionAtOpen = readVersion()
  let current: Started | undefined
  let seen: number | undefined
  let mayHaveMissed = false

  const start = (): Started => {
    const thread = startThread({ path }, () => forget(thread))
    return { thread, ready: takeFirstLook(thread) }
  }
  const forget = (thread: Thread): void => {
    if (current?.thread === thread) current = undefined
  }
  /**
   * The thread sees what others commit from now on; before, the main thread saw them. After a thread died it
   * has seen that one's commits, too: then something may always have been missed.
   */
  const takeFirstLook = async (thread: Thread): Promise<void> => {
    const reply = await thread.ask({ kind: 'look' })
    if (reply.kind !== 'seen') {
      // The next one to ask starts another.
      forget(thread)
      void thread.end()
    }
    seen = toVersion(reply)
    mayHaveMissed ||= readVersion() !== versionAtOpen
  }
  const ask = async (request: ThreadRequest): Promise<ThreadReply> => {
    current ??= start()
    const { thread, ready } = current
    if (request.kind === 'write') thread.hold()
    try {
      await ready
      return await thread.ask(request)
    } finally {
      if (request.kind === 'write') thread.release()
    }
  }
  return {
    async write(batch) {
      const reply = await ask({ kind: 'write', batch })
      if (reply.kind === 'done') return reply.done
      throw toFault(reply)
    },
    async look() {
      const version = toVersion(await ask({ kind: 'look' }))
      const hasChanged = mayHaveMissed || version !== seen
      seen = version
      mayHaveMissed = false
      return hasChanged
    },
    async end() {
      await current?.thread.end()
    },
  }
}

/** A thread, and the promise that it is open. */
interface Started {
  readonly thread: Thread
  readonly ready: Promise<void>
}

function toVersion(reply: ThreadReply): number {
  if (reply.kind === 'seen') return reply.version
  throw toFault(reply)
}

function toFault(reply: ThreadReply): unknown {
  if (reply.kind !== 'failed') return new TypeError(`The thread answered ${reply.kind}`)
  const { result, error } = reply
  return result === undefined ? error : unavailable(`store_${result}`, error)
}

/** From source this file is TypeScript and so is the thread's; once built, both are JavaScript. */
const program = new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url)

/** One thread, from its start to its end. */
interface Thread {
  /** @throws OAuthError `temporarily_unavailable` with reason `store_thread_died` */
  ask(request: ThreadRequest): Promise<ThreadReply>
  /** Until it is released, the process lives as long as the thread. */
  hold(): void
  release(): void
  end(): Promise<void>
}

/**
 * Starts a thread. It answers in the order in which it is asked.
 *
 * @param onExit is called when it has ended, before anybody who still waits is told
 */
function startThread(settings: ThreadSettings, onExit: () => void): Thread {
  // Nothing of the environment: it holds secrets, and the thread reads none of it.
  const options = { name: 'sqlite', workerData: settings, env: {}, execArgv: [] }
  const worker = new Worker(program, options)
  const waiting: { resolve(reply: ThreadReply): void; reject(fault: unknown): void }[] = []
  let cause: unknown
  worker.on('message', (reply: ThreadReply) => waiting.shift()?.resolve(reply))
  // After the listener, whose coming holds the process.
  worker.unref()
  worker.on('error', (error) => {
    cause = error
  })
  worker.once('exit', () => {
    onExit()
    for (const { reject } of waiting) reject(unavailable('store_thread_died', cause))
  })
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.postMessage(request)
      }),
    hold: () => worker.ref(),
    release: () => worker.unref(),
    async end() {
      worker.ref()
      const ended = once(worker, 'exit')
      worker.postMessage('end')
      await ended
    },
  }
}
