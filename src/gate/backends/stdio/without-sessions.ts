/**
 * Requests without a session (MCP 2026-07-28) to a backend that is a program. Each says for itself what it
 * needs, so all of one grant share a program, which sees their messages as they are.
 *
 * On its one channel ids tell requests apart. So a program never has two with the same id at a time: the
 * second one goes to another program.
 */
import { LRUCache } from 'lru-cache'
import type { BackendSide, Call } from '../bridge/link.ts'
import type { Message } from '../bridge/messages.ts'
import { createReply } from '../bridge/replies.ts'
import type { BridgeSessions } from '../bridge/sessions.ts'
import type { ServeStateless } from '../bridge/streamable-client.ts'
import { createEra } from './era.ts'
import type { StdioCaller } from './link.ts'
import type { Request } from './open-requests.ts'
import type { StartStdioServer } from './server.ts'
import {
  findFault,
  findStatelessRefusal,
  isStateless,
  renderStatelessRefusal,
  toStatelessRequest,
} from './stateless.ts'
import {
  joinToolHeaders,
  readToolHeaders,
  type ToolHeaders,
  verifyToolHeaders,
} from './tool-headers.ts'
import { createWorker, type Worker } from './worker.ts'

/** What serves requests without a session. */
export interface StatelessOptions {
  readonly side: Pick<BackendSide<StdioCaller>, 'toCaller'>
  readonly start: StartStdioServer
  readonly sessions: BridgeSessions<Worker>
}

/** Silence after which an answer becomes a stream, in milliseconds: before, its HTTP status still says what it is. */
const patienceMs = 5000

/** Grants of whose tools something is remembered. */
const holdersRemembered = 10_000

/** The same until it is known whether there are sessions: a client must learn it by the status (mcp-spec T28). */
const firstPatienceMs = 25_000

/** The way of such requests to one backend. */
export function createStateless({ side, start, sessions }: StatelessOptions): ServeStateless {
  const era = createEra()
  const workers = new Map<string, Set<Worker>>()
  /** What servers said of header fields, to whom. */
  const toolHeaders = new LRUCache<string, ToolHeaders>({ max: holdersRemembered })
  const begin = (call: Call, caller: StdioCaller): Worker => {
    const { claims, context } = call
    const holder = toHolder(call)
    const onTools = (text: string) => {
      const read = readToolHeaders(text)
      if (read) toolHeaders.set(holder, joinToolHeaders(toolHeaders.get(holder), read))
    }
    const worker = sessions.begin(claims, context, (session) =>
      createWorker({ session, caller, context, start, era, onTools }),
    )
    const own = workers.get(holder) ?? new Set()
    workers.set(holder, own.add(worker))
    worker.session.signal.addEventListener('abort', () => {
      own.delete(worker)
      if (own.size === 0) workers.delete(holder)
    })
    return worker
  }
  const find = (call: Call, caller: StdioCaller, request: Request): Worker => {
    const own = [...(workers.get(toHolder(call)) ?? [])]
    for (const worker of own) worker.retireUnless(caller)
    const worker = own.find((each) => each.canTake(request, caller))
    if (worker === undefined) return begin(call, caller)
    // It is in use again, by this token.
    return sessions.find(worker.session.id, call.claims)
  }
  const serve = async (call: Call, messages: readonly Message[], text: string) => {
    const { headers } = call.request
    const request = toStatelessRequest(messages)
    const known = toolHeaders.get(toHolder(call))
    const refusal =
      findStatelessRefusal(headers, request, text) ??
      (known && findFault(() => verifyToolHeaders(headers, text, known)))
    if (refusal) return renderStatelessRefusal(request, refusal)
    era.verify(call.claims.sub)
    const caller = await side.toCaller(call)
    const worker = find(call, caller, request)
    const patience = era.isModern() ? patienceMs : firstPatienceMs
    const reply = createReply(call, { count: 1, patienceMs: patience })
    worker.serve(request, reply)
    return reply.answer
  }
  return (call, messages, text) =>
    isStateless(call.request.headers, messages) ? serve(call, messages, text) : undefined
}

/** Whose programs are shared: those of one grant, and all of them end with it. */
function toHolder({ claims: { sub, client_id, gid } }: Call): string {
  return JSON.stringify([sub, client_id, gid])
}
