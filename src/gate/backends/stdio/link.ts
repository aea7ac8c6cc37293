/** A backend that is a program, one for each session: what one user's session leaves in it, no other one meets. */
import type { BackendLink, BackendSide, LinkOptions } from '../bridge/link.ts'
import { findCancelled, type Message } from '../bridge/messages.ts'
import { sessionNotFound } from '../legacy/session.ts'
import type { FindEnvironment, ProgramEnvironment } from './environment.ts'
import type { StartStdioServer, StdioServer } from './server.ts'

/** On whose behalf a program is asked. */
export interface StdioCaller {
  readonly userId: string
  readonly environment: ProgramEnvironment
}

/** The way to a backend that is a program. */
export function createStdioSide(
  findEnvironment: FindEnvironment,
  start: StartStdioServer,
): BackendSide<StdioCaller> {
  return {
    async toCaller(call) {
      return { userId: call.claims.sub, environment: await findEnvironment(call) }
    },
    connect: (options) => createLink(options, start),
  }
}

function createLink(
  { session, onMessage }: LinkOptions,
  start: StartStdioServer,
): BackendLink<StdioCaller> {
  /** Requests without an answer, by id. */
  const waiting = new Map<string, () => void>()
  let server: StdioServer | undefined
  let startedWith: ProgramEnvironment | undefined
  const settle = (id = '') => {
    waiting.get(id)?.()
    waiting.delete(id)
  }
  const waitForAnswer = (id = '') => {
    settle(id)
    return new Promise<void>((resolve) => waiting.set(id, resolve))
  }
  const pass = async (message: Message) => {
    await onMessage(message)
    if (message.kind === 'response') settle(message.id)
  }
  const write = (message: Message) => {
    if (server === undefined) throw sessionNotFound()
    server.write(message)
  }
  return {
    async open({ userId, environment }, context) {
      const { signal } = session
      const started = await start({ userId, environment, context, signal, onMessage: pass })
      server = started
      startedWith = environment
      started.over.addEventListener('abort', () => session.end(started.over.reason))
      if (started.over.aborted) throw started.over.reason
    },
    /** What the program was told of its caller must still hold. */
    verify({ environment }) {
      if (startedWith?.key === environment.key) return
      session.end()
      throw sessionNotFound()
    },
    async tell(message) {
      write(message)
      // Nothing answers a request that was cancelled.
      settle(findCancelled(message))
    },
    async ask(message) {
      write(message)
      return waitForAnswer(message.id)
    },
  }
}
