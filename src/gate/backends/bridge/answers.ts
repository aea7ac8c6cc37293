/** What a Streamable HTTP backend answers, message by message, whether it comes as JSON or as a stream. */
import type { BackendAnswer } from '../../../platform/exchange.ts'
import { isEventStream, readEvents, readText } from '../backend-answer.ts'
import { type Message, parseMessages } from './messages.ts'

/** Where in a stream we are: what to name when it is taken up again, and how long to wait before. */
export interface Position {
  readonly lastEventId?: string
  readonly retry?: string
}

/** How long to wait before a stream is taken up again, unless the backend says it, in milliseconds. */
const retryMs = 1000
const longestRetryMs = 30_000

/**
 * Hands over each message of an answer; the next one waits for it.
 *
 * @returns where the stream ended
 * @throws OAuthError when what comes is no JSON-RPC or too long, and whatever ended the answer early
 */
export async function takeAnswer(
  answer: BackendAnswer,
  onMessage: (message: Message) => Promise<void>,
  before: Position = {},
): Promise<Position> {
  const pass = async (text: string) => {
    for (const message of parseMessages(text)) await onMessage(message)
  }
  if (!isEventStream(answer)) {
    await pass(await readText(answer))
    return before
  }
  let position = before
  for await (const { type, data = '', id, retry } of readEvents(answer)) {
    if (id !== undefined) position = { ...position, lastEventId: id }
    if (retry !== undefined) position = { ...position, retry }
    if (type === 'message' && data !== '') await pass(data)
  }
  return position
}

/** Waits as long as the backend asked for, or until there is nothing to wait for any more. */
export function waitToResume({ retry }: Position, signal: AbortSignal): Promise<void> {
  const waitMs = Math.min(retry === undefined ? retryMs : Number(retry), longestRetryMs)
  return new Promise((resolve) => {
    const goOn = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', goOn)
      resolve()
    }
    const timer = setTimeout(goOn, waitMs)
    // Only Node has this; elsewhere a timer does not keep anything alive.
    timer.unref?.()
    signal.addEventListener('abort', goOn)
  })
}
