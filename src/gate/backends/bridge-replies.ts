/** The answer to one POST of a Streamable HTTP client, while its requests are being answered one by one. */
import { corsHeaders } from '../../oauth/cors.ts'
import type { Answer } from '../../platform/exchange.ts'
import { exposedFields } from '../refusal.ts'
import { createEventOutlet } from './bridge-outlet.ts'

/** What collects the messages that belong to one POST. */
export interface Reply {
  /** What the client gets: at once when it is a stream, else when all is answered. */
  readonly answer: Promise<Answer | Response>
  /** Takes the answer to one of the requests. */
  settle(text: string): Promise<void>
  /** Takes another message for the client; false when this reply has no place for one. */
  note(text: string): Promise<boolean>
  /** Called when the client does not listen any more. */
  onLeft(forget: () => void): void
}

/** A reply to a POST with `count` requests. */
export function createReply(
  request: Request,
  count: number,
  headers: Record<string, string>,
): Reply {
  const accepted = request.headers.get('accept') ?? '*/*'
  return accepted.includes('text/event-stream')
    ? createStreamReply(count, headers)
    : createJsonReply(count, headers)
}

function createStreamReply(count: number, headers: Record<string, string>): Reply {
  const outlet = createEventOutlet(headers)
  let open = count
  const send = (text: string) => outlet.send({ type: 'message', data: text })
  return {
    answer: Promise.resolve(outlet.response),
    async settle(text) {
      const sent = send(text)
      open -= 1
      // What is sent can still be read, and whoever does not read it keeps nobody waiting.
      if (open === 0) outlet.end()
      await sent
    },
    async note(text) {
      if (outlet.over.aborted) return false
      await send(text)
      return true
    },
    onLeft: (forget) => outlet.over.addEventListener('abort', forget),
  }
}

/** Several requests were a batch, whose answer is one (MCP 2025-03-26). */
function createJsonReply(count: number, headers: Record<string, string>): Reply {
  const texts: string[] = []
  const { promise, resolve } = Promise.withResolvers<Answer>()
  return {
    answer: promise,
    async settle(text) {
      texts.push(text)
      if (texts.length < count) return
      resolve({
        status: 200,
        headers: {
          'content-type': 'application/json',
          'cache-control': 'no-store, private',
          vary: 'Authorization',
          ...corsHeaders(exposedFields),
          ...headers,
        },
        body: count === 1 ? text : `[${texts.join(',')}]`,
      })
    },
    note: async () => false,
    onLeft: () => {},
  }
}
