/**
 * Where each message goes that an HTTP+SSE backend sends on its one stream: an answer to the POST that
 * asked, anything else to whoever of the same session listens (catalogue RS-18).
 */
import type { EventOutlet } from './event-outlet.ts'
import { type Message, renderFailure } from './messages.ts'
import type { Reply } from './replies.ts'

/** A request that waits for its answer. */
interface Asked {
  readonly reply: Reply
  readonly progressToken: string | undefined
}

/** The receivers of one session. */
export interface Routing {
  /** Whether a request of this id waits already. */
  isAsked(id: string): boolean
  /** A request whose answer belongs to this reply. */
  expect(request: Message & { readonly id: string }, reply: Reply): void
  /** A request of this id gets no answer: it was cancelled. */
  cancel(id: string): void
  /** The stream for what nobody asked for, in place of an earlier one. What waited for it goes first. */
  listen(outlet: EventOutlet): Promise<void>
  /** Takes one message of the backend. */
  route(message: Message): Promise<void>
  /** Answers a request, or all, with a failure. */
  fail(error: unknown, id?: string): Promise<void>
  /** Whether anybody receives anything now. */
  isRead(): boolean
  /** Whether a request waits for its answer. */
  isBusy(): boolean
}

/** Messages kept for a client that has not opened its stream yet, and their characters; the oldest go first. */
const keptAtMost = 100
const keptLength = 1024 * 1024

/** The receivers of a session that begins. */
export function createRouting(): Routing {
  const asked = new Map<string, Asked>()
  const kept: string[] = []
  let listener: EventOutlet | undefined

  const settle = async (id: string, text: string) => {
    const found = asked.get(id)
    asked.delete(id)
    await found?.reply.settle(text)
  }
  /** The request that a message is about, else the newest one. */
  const findReplies = ({ progressToken }: Message): Reply[] => {
    const all = [...asked.values()].toReversed()
    const about = all.filter((each) => progressToken && each.progressToken === progressToken)
    return (about.length > 0 ? about : all).map(({ reply }) => reply)
  }
  const tell = async (message: Message) => {
    const isListening = listener !== undefined && !listener.over.aborted
    if (isListening && message.progressToken === undefined) {
      await listener?.send({ type: 'message', data: message.text })
      return
    }
    for (const reply of findReplies(message)) if (await reply.note(message.text)) return
    if (isListening) await listener?.send({ type: 'message', data: message.text })
    else keep(message.text)
  }
  const keep = (text: string) => {
    kept.push(text)
    const countLength = () => kept.reduce((length, each) => length + each.length, 0)
    while (kept.length > keptAtMost || (kept.length > 1 && countLength() > keptLength)) kept.shift()
  }
  return {
    isAsked: (id) => asked.has(id),
    expect({ id, progressToken }, reply) {
      asked.set(id, { reply, progressToken })
      reply.onLeft(() => {
        if (asked.get(id)?.reply === reply) asked.delete(id)
      })
    },
    cancel(id) {
      const found = asked.get(id)
      asked.delete(id)
      found?.reply.skip()
    },
    async listen(outlet) {
      listener?.end()
      listener = outlet
      for (const text of kept.splice(0)) await outlet.send({ type: 'message', data: text })
    },
    route: (message) =>
      message.kind === 'response' ? settle(message.id ?? '', message.text) : tell(message),
    async fail(error, id) {
      for (const each of id === undefined ? [...asked.keys()] : [id])
        await settle(each, renderFailure(each, error))
      if (id === undefined) listener?.end()
    },
    isBusy: () => asked.size > 0,
    isRead: () => asked.size > 0 || (listener !== undefined && !listener.over.aborted),
  }
}
