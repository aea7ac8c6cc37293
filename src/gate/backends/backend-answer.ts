/** Answers of a backend to requests of our own: checked like those that are piped, and read within bounds. */
import { OAuthError } from '../../errors.ts'
import type { Answer, BackendAnswer } from '../../platform/exchange.ts'
import { cleanResponseFields } from '../headers.ts'
import { createEventReader, longestEvent, type ServerEvent } from './legacy/events.ts'
import type { HttpBackend } from './request-fields.ts'

/** What is passed on of the body of an answer that is only about one message, in bytes. */
const shortAnswerBytes = 64 * 1024

/** Whether an answer is an event stream. */
export function isEventStream({ headers }: BackendAnswer): boolean {
  return findField({ headers }, 'content-type').toLowerCase().startsWith('text/event-stream')
}

/** The value of a field; the empty text when there is none. */
export function findField({ headers }: Pick<BackendAnswer, 'headers'>, wanted: string): string {
  return headers.find(([name]) => name === wanted)?.[1] ?? ''
}

/**
 * Refuses an answer that is not the event stream that was asked for.
 *
 * @throws OAuthError with status 502
 */
export function verifyEventStream(answer: BackendAnswer, backend: HttpBackend): void {
  cleanResponseFields(answer.status, answer.headers, backend)
  if (answer.status === 200 && isEventStream(answer)) return
  const type = findField(answer, 'content-type') || 'no content type'
  throw new OAuthError(
    'temporarily_unavailable',
    'The MCP server opened no event stream; try later',
    {
      status: 502,
      reason: 'backend_no_stream',
      cause: new Error(`The backend answered ${answer.status} with ${type}`),
      retryAfterSeconds: 5,
    },
  )
}

/** The events of a stream, as they come. */
export async function* readEvents({ body }: BackendAnswer): AsyncGenerator<ServerEvent> {
  const read = createEventReader()
  for await (const chunk of body) yield* read(chunk)
}

/**
 * A short answer as the client gets it.
 *
 * @throws OAuthError with status 502 when the backend refused us, or never came to an end
 */
export async function toAnswer(answer: BackendAnswer, backend: HttpBackend): Promise<Answer> {
  const fields = cleanResponseFields(answer.status, answer.headers, backend)
  const framing = new Set(['content-length', 'content-encoding'])
  return {
    status: answer.status,
    headers: Object.fromEntries(fields.filter(([name]) => !framing.has(name))),
    body: await readText(answer, shortAnswerBytes),
  }
}

/**
 * The body as text.
 *
 * @throws OAuthError with status 502 when it is longer than `limitBytes`
 */
export async function readText(
  { body }: BackendAnswer,
  limitBytes = longestEvent,
): Promise<string> {
  const decoder = new TextDecoder()
  let length = 0
  let text = ''
  for await (const chunk of body) {
    length += chunk.length
    if (length > limitBytes) throw answerTooLong()
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function answerTooLong(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server sent too long an answer', {
    status: 502,
    reason: 'answer_too_long',
    retryAfterSeconds: 30,
  })
}
