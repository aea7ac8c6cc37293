/** The answer to one POST of a Streamable HTTP client, while its requests are being answered one by one. */
import type { OAuthError } from '../../../errors.ts'
import { corsHeaders } from '../../../oauth/cors.ts'
import type { Answer } from '../../../platform/exchange.ts'
import { exposedFields } from '../../refusal.ts'
import { createEventOutlet, type EventOutlet } from './event-outlet.ts'
import type { Call } from './link.ts'
import { renderFailure } from './messages.ts'

/** What collects the messages that belong to one POST. */
export interface Reply {
  /** What the client gets: once all is answered, or a stream as soon as there is something else to say. */
  readonly answer: Promise<Answer | Response>
  /** Takes the answer to one of the requests. The status counts where it is the only one. */
  settle(text: string, status?: number): Promise<void>
  /** Says that the request of this id gets no answer: by its HTTP status where that is still open. */
  fail(id: string, error: OAuthError): Promise<void>
  /** Takes another message for the client; false when this reply has no place for one. */
  note(text: string): Promise<boolean>
  /** Says that one of the requests gets no answer, and none is missed: it was cancelled. */
  skip(): void
  /** Says that no more answers come: what the client reads is over. */
  end(): void
  /** Called when the client does not listen any more. */
  onLeft(forget: () => void): void
}

/** What a reply is made of. */
export interface ReplyOptions {
  /** Requests that are to be answered. */
  readonly count: number
  /** Fields of the answer, besides those of every answer. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Silence after which the answer becomes a stream, with a comment now and then so that nothing in between
   * takes the request for dead (catalogue ST-05), in milliseconds. Default 100.
   */
  readonly patienceMs?: number
}

/** A reply to a POST. */
export function createReply(
  { request: { signal, headers: asked }, judged }: Pick<Call, 'request' | 'judged'>,
  { count, headers = {}, patienceMs = 100 }: ReplyOptions,
): Reply {
  // What was posted is not kept for as long as its answer takes.
  const announce = judged?.announce
  const accepted = asked.get('accept') ?? '*/*'
  const mayStream = accepted.includes('text/event-stream')
  const { promise, resolve, reject } = Promise.withResolvers<Answer | Response>()
  const texts: string[] = []
  let open = count
  const late = createLateOutlet(headers, (outlet) => {
    for (const text of texts.splice(0)) void outlet.send({ type: 'message', data: text })
    resolve(outlet.response)
  })
  if (mayStream) late.openAfter(patienceMs)

  const answerAtOnce = (status: number) => {
    late.dismiss()
    // Several requests were a batch, whose answer is one (MCP 2025-03-26).
    const body = count === 1 ? texts.join() : `[${texts.join(',')}]`
    resolve({ status: count === 1 ? status : 200, headers: { ...jsonHeaders, ...headers }, body })
  }
  const settle = async (given: string, status = 200) => {
    const text = announce?.inText(given) ?? given
    open -= 1
    const outlet = late.find()
    if (outlet) return sendLast(outlet, text, open === 0)
    texts.push(text)
    if (open === 0) answerAtOnce(status)
  }
  return {
    answer: promise,
    settle,
    async fail(id, error) {
      if (late.find() || count > 1) return settle(renderFailure(id, error))
      late.dismiss()
      open = 0
      reject(error)
    },
    async note(text) {
      if (!mayStream || open === 0) return false
      const outlet = late.open()
      if (outlet.over.aborted) return false
      await outlet.send({ type: 'message', data: text })
      return true
    },
    skip() {
      open -= 1
      if (open > 0) return
      if (texts.length > 0) answerAtOnce(200)
      else late.open().end()
    },
    end: () => late.open().end(),
    onLeft(forget) {
      // Before a stream is open, or where none may be, only the request tells.
      signal.addEventListener('abort', forget, { once: true })
      late.onLeft(forget)
    },
  }
}

/** What is sent can still be read, and whoever does not read it keeps nobody waiting. */
async function sendLast(outlet: EventOutlet, text: string, isLast: boolean): Promise<void> {
  const sent = outlet.send({ type: 'message', data: text })
  if (isLast) outlet.end()
  await sent
}

/** A stream that is opened once it is needed. */
function createLateOutlet(
  headers: Readonly<Record<string, string>>,
  onOpen: (outlet: EventOutlet) => void,
) {
  const leaving = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let outlet: EventOutlet | undefined
  const open = (): EventOutlet => {
    if (outlet !== undefined) return outlet
    clearTimeout(timer)
    outlet = createEventOutlet(headers)
    outlet.over.addEventListener('abort', () => leaving.abort())
    onOpen(outlet)
    return outlet
  }
  return {
    find: () => outlet,
    open,
    openAfter(milliseconds: number) {
      timer = setTimeout(open, milliseconds)
      // Only Node has this; elsewhere a timer does not keep anything alive.
      timer.unref?.()
    },
    dismiss: () => clearTimeout(timer),
    onLeft: (forget: () => void) => leaving.signal.addEventListener('abort', forget),
  }
}

const jsonHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store, private',
  vary: 'Authorization',
  ...corsHeaders(exposedFields),
}
