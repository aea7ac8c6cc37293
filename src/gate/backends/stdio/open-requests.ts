/** Requests without a session that one program is answering: on its one channel their ids alone tell them apart. */
import type { Message } from '../bridge/messages.ts'
import type { Reply } from '../bridge/replies.ts'

/** A request with its id. */
export type Request = Message & { readonly id: string }

/** What a request is told by while it is open. Its text is not kept. */
export type Asked = Pick<Request, 'id' | 'method' | 'progressToken' | 'wantsLog'>

/** A request, and who waits for its answer. */
export interface Open {
  readonly request: Asked
  readonly reply: Reply
}

/** The requests of one program. */
export interface OpenRequests {
  isAny(): boolean
  list(): readonly Open[]
  /** Whether a request could be told from all that are open, and from those whose answer may still come. */
  canTell(request: Request): boolean
  add(open: Open): void
  /** Whether this very request is open. */
  isOpen(id: string, reply: Reply): boolean
  /** Removes it: it was answered, or never will be. */
  remove(id: string): Open | undefined
  /** Removes it although its answer may still come. */
  cancel(id: string): void
  /** The request that a notification is about. Log lines name none: they go to the last one that wants some. */
  findAbout(notification: Message): Open | undefined
}

/** How long an answer may still come to a request that was cancelled, in milliseconds. */
const lateMs = 60_000

/** No requests yet. */
export function createOpenRequests(): OpenRequests {
  const open = new Map<string, Open>()
  /** Requests that were cancelled, by id, and until when something may still come for them. */
  const cancelled = new Map<string, { asked: Asked | undefined; until: number }>()
  const list = () => [...open.values()]
  const forgetLate = () => {
    const now = performance.now()
    for (const [id, { until }] of cancelled) if (until <= now) cancelled.delete(id)
  }
  return {
    isAny: () => open.size > 0,
    list,
    canTell({ id, progressToken }) {
      forgetLate()
      const late = [...cancelled.values()].map(({ asked }) => asked)
      const others = [...list().map(({ request }) => request), ...late]
      return !others.some(
        (asked) => asked?.id === id || (progressToken && asked?.progressToken === progressToken),
      )
    },
    add: (one) => void open.set(one.request.id, one),
    isOpen: (id, reply) => open.get(id)?.reply === reply,
    remove(id) {
      const found = open.get(id)
      open.delete(id)
      cancelled.delete(id)
      return found
    },
    cancel(id) {
      forgetLate()
      cancelled.set(id, { asked: open.get(id)?.request, until: performance.now() + lateMs })
      open.delete(id)
    },
    findAbout({ about, progressToken }) {
      if (about !== undefined) return open.get(about)
      if (progressToken !== undefined)
        return list().find(({ request }) => request.progressToken === progressToken)
      return list().findLast(({ request }) => request.wantsLog)
    },
  }
}
