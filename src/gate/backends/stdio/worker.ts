/** A program that serves requests without a session, one beside the other (MCP 2026-07-28). */
import type { RequestContext } from '../../../context.ts'
import { OAuthError } from '../../../errors.ts'
import { findCancelled, type Message } from '../bridge/messages.ts'
import type { Reply } from '../bridge/replies.ts'
import type { BridgeLink, BridgeSession } from '../bridge/sessions.ts'
import type { Era } from './era.ts'
import type { StdioCaller } from './link.ts'
import { createOpenRequests, type Open, type OpenRequests, type Request } from './open-requests.ts'
import { type StartStdioServer, type StdioServer, serverEnded } from './server.ts'
import { toHttpStatus } from './stateless.ts'

/** A program, and the requests that it answers. */
export interface Worker extends BridgeLink {
  readonly session: BridgeSession
  /** Whether it can tell this request from all that it has. */
  canTake(request: Request, caller: StdioCaller): boolean
  /** Has a request answered. */
  serve(request: Request, reply: Reply): void
  /** Ends it once nothing is open, when this is no longer what it should know of its caller. */
  retireUnless(caller: StdioCaller): void
}

/** What a worker is made of. */
export interface WorkerOptions {
  readonly session: BridgeSession
  readonly caller: StdioCaller
  readonly context: RequestContext
  readonly start: StartStdioServer
  readonly era: Era
  /** Told what the server answers to `tools/list`. */
  readonly onTools: (text: string) => void
}

/** Starts a program. */
export function createWorker(options: WorkerOptions): Worker {
  const { session, caller, era } = options
  const requests = createOpenRequests()
  let isRetired = false
  const endIfDone = () => {
    if (isRetired && !requests.isAny()) session.end()
  }
  const close = (id: string): Open | undefined => {
    const found = requests.remove(id)
    endIfDone()
    return found
  }
  const ready = startServer(options, { requests, close })
  ready.catch((error: unknown) => session.end(error))
  session.signal.addEventListener('abort', () => {
    for (const { request, reply } of requests.list()) {
      requests.remove(request.id)
      void reply.fail(request.id, toReason(session.signal.reason))
    }
  })
  const isKnownAs = ({ environment }: StdioCaller) => environment.key === caller.environment.key
  const hand = (request: Request, reply: Reply) => {
    const { id } = request
    void ready
      .then(async (server) => {
        const refusal = era.refuse(request)
        if (refusal !== undefined) await close(id)?.reply.settle(refusal, 400)
        else if (requests.isOpen(id, reply)) server.write(request)
      })
      .catch((error: unknown) => close(id)?.reply.fail(id, toReason(error)))
  }
  return {
    session,
    isRead: requests.isAny,
    isBusy: requests.isAny,
    canTake: (request, by) => !isRetired && isKnownAs(by) && requests.canTell(request),
    serve(request, reply) {
      const { id, method, progressToken, wantsLog } = request
      requests.add({ request: { id, method, progressToken, wantsLog }, reply })
      reply.onLeft(() => {
        if (!requests.isOpen(id, reply)) return
        requests.cancel(id)
        endIfDone()
        void ready.then((server) => server.write(toCancellation(id))).catch(() => undefined)
      })
      hand(request, reply)
    },
    retireUnless(by) {
      isRetired ||= !isKnownAs(by)
      endIfDone()
    },
  }
}

/** Starts the program, and makes sure that it serves requests without a session. */
async function startServer(
  { session, caller, context, start, era, onTools }: WorkerOptions,
  { requests, close }: { requests: OpenRequests; close: (id: string) => Open | undefined },
): Promise<StdioServer> {
  let probed: ((answer: Message) => void) | undefined
  const onMessage = async (message: Message): Promise<void> => {
    if (message.kind === 'request') return
    // Nothing else was asked yet, whatever ids clients choose, so nothing else is answered or spoken of.
    if (probed) return message.kind === 'response' ? probed(message) : undefined
    if (message.kind === 'notification') return note(message)
    const { id = '', text } = message
    const answered = close(id)
    if (answered?.request.method === 'tools/list') onTools(text)
    await answered?.reply.settle(text, toHttpStatus(message))
  }
  const note = async (message: Message): Promise<void> => {
    const about = requests.findAbout(message)
    await about?.reply.note(message.text)
    // A server that ends a subscription says so, and nothing more comes.
    if (about && findCancelled(message) !== undefined) close(about.request.id)?.reply.end()
  }
  const isTried = !era.isModern()
  const { signal } = session
  const server = await start({ ...caller, context, signal, onMessage, isTried })
  await era.find(caller.userId, (question) => {
    server.write(question)
    return new Promise((resolve, reject) => {
      probed = resolve
      server.over.addEventListener('abort', () => reject(server.over.reason))
    })
  })
  probed = undefined
  server.over.addEventListener('abort', () => session.end(server.over.reason))
  if (server.over.aborted) throw server.over.reason
  return server
}

function toCancellation(id: string): { text: string } {
  const params = `{"requestId":${id},"reason":"The client closed the request"}`
  return { text: `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}` }
}

function toReason(reason: unknown): OAuthError {
  return reason instanceof OAuthError ? reason : serverEnded()
}
