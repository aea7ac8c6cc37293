/** The answer to one POST of a Streamable HTTP client, while its requests are being answered one by one. */
import { corsHeaders } from '../../oauth/cors.ts'
import type { Answer } from '../../platform/exchange.ts'
import { exposedFields } from '../refusal.ts'
import { createEventOutlet, type EventOutlet } from './bridge-outlet.ts'
import type { Call } from './link.ts'

/** What collects the messages that belong to one POST. */
export interface Reply {
  /** What the client gets: once all is answered, or a stream as soon as there is something else to say. */
  readonly answer: Promise<Answer | Response>
  /** Takes the answer to one of the requests. The status counts where it is the only one. */
  settle(text: string, status?: number): Promise<void>
  /** Takes another message for the client; false when this reply has no place for one. */
  note(text: string): Promise<boolean>
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
  { request, judged }: Pick<Call, 'request' | 'judged'>,
  { count, headers = {}, patienceMs = 100 }: ReplyOptions,
): Reply {
  const accepted = request.headers.get('accept') ?? '*/*'
  const mayStream = accepted.includes('text/event-stream')
  const { promise, resolve } = Promise.withResolvers<Answer | Response>()
  const texts: string[] = []
  const leaving = new AbortController()
  let outlet: EventOutlet | undefined
  let open = count

  const openStream = (): EventOutlet => {
    if (outlet !== undefined) return outlet
    clearTimeout(timer)
    const opened = createEventOutlet(headers)
    opened.over.addEventListener('abort', () => leaving.abort())
    for (const text of texts.splice(0)) void opened.send({ type: 'message', data: text })
    resolve(opened.response)
    outlet = opened
    return opened
  }
  const timer = mayStream ? setTimeout(openStream, patienceMs) : undefined
  // Only Node has this; elsewhere a timer does not keep anything alive.
  timer?.unref?.()

  const sendLast = async (stream: EventOutlet, text: string) => {
    const sent = stream.send({ type: 'message', data: text })
    // What is sent can still be read, and whoever does not read it keeps nobody waiting.
    if (open === 0) stream.end()
    await sent
  }
  return {
    answer: promise,
    async settle(given, status = 200) {
      const text = judged?.announce?.inText(given) ?? given
      open -= 1
      if (outlet) return sendLast(outlet, text)
      texts.push(text)
      if (open > 0) return
      clearTimeout(timer)
      // Several requests were a batch, whose answer is one (MCP 2025-03-26).
      const body = count === 1 ? text : `[${texts.join(',')}]`
      resolve({ status: count === 1 ? status : 200, headers: { ...jsonHeaders, ...headers }, body })
    },
    async note(text) {
      if (!mayStream || open === 0) return false
      const stream = openStream()
      if (stream.over.aborted) return false
      await stream.send({ type: 'message', data: text })
      return true
    },
    onLeft: (forget) => leaving.signal.addEventListener('abort', forget),
  }
}

const jsonHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store, private',
  vary: 'Authorization',
  ...corsHeaders(exposedFields),
}
