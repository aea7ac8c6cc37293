/** Records what travels in an operation, so that a bare server can answer with the same bytes. */
import type { Message, Reply, Send } from './http.ts'
import type { FixedAnswer } from './servers/protocol.ts'

/** A request, its answer, and the same answer for a bare server. */
export interface RecordedExchange {
  readonly message: Message
  readonly reply: Reply
  readonly answer: FixedAnswer
}

/** Runs an operation once and returns what travelled. */
export async function recordExchanges(
  send: Send,
  operate: (send: Send) => Promise<void>,
): Promise<RecordedExchange[]> {
  const exchanges: RecordedExchange[] = []
  await operate(async (message) => {
    const reply = await send(message)
    exchanges.push({ message, reply, answer: toFixedAnswer(reply) })
    return reply
  })
  return exchanges
}

/** Node writes them itself. */
const ownHeader = /^(?:date|connection|keep-alive|transfer-encoding|content-length)$/i

function toFixedAnswer({ status, head, body }: Reply): FixedAnswer {
  const [, ...lines] = head.trimEnd().split('\r\n')
  const headers = lines.flatMap((line) => {
    const at = line.indexOf(':')
    const name = line.slice(0, at)
    return ownHeader.test(name) ? [] : [name, line.slice(at + 1).trim()]
  })
  return { status, headers, body }
}
