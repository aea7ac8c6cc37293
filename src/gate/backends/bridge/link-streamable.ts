/**
 * A client of Streamable HTTP (MCP 2025-03-26 to 2025-11-25) on behalf of somebody who is none: keeps the
 * backend's session and revision, and hands over every message that comes, from whichever stream.
 */
import { OAuthError } from '../../../errors.ts'
import type { BackendAnswer, HeaderField } from '../../../platform/exchange.ts'
import { cleanResponseFields } from '../../headers.ts'
import type { Caller } from '../asking.ts'
import { findField, isEventStream, readText, verifyEventStream } from '../backend-answer.ts'
import type { HttpBackend, OurFields } from '../request-fields.ts'
import { type Position, takeAnswer, waitToResume } from './answers.ts'
import { toHttpCaller } from './http-caller.ts'
import { type BackendLink, type BackendSide, type LinkOptions, sessionGone } from './link.ts'
import type { Message } from './messages.ts'

/** The way to a backend that speaks Streamable HTTP. */
export function createStreamableSide(backend: HttpBackend, ours: OurFields): BackendSide<Caller> {
  return {
    toCaller: (call) => toHttpCaller(call, ours),
    connect: (options) => createLink({ ...options, backend }),
  }
}

interface BackendLinkOptions extends LinkOptions {
  readonly backend: HttpBackend
}

/** Streams that bring nothing, one after the other, after which we stop asking for more. */
const fruitlessAllowed = 5

/** How long the backend may take to end a session that is over, in milliseconds. */
const farewellMs = 5000

/** The link of one session. */
function createLink(options: BackendLinkOptions): BackendLink<Caller> {
  const { backend, session, onMessage } = options
  const { signal } = session
  const wire = createWire(options)
  let isListening = false
  signal.addEventListener('abort', () => void wire.leave().catch(() => undefined))
  return {
    open: async () => undefined,
    async tell(message, caller) {
      const answer = await wire.post(message, caller)
      await verifyTaken(answer, backend, wire.hasSession())
      await readText(answer)
      if (message.method !== 'notifications/initialized' || isListening) return
      isListening = true
      void listen(wire, caller, options).catch(() => undefined)
    },
    async ask(message, caller) {
      const answer = await wire.post(message, caller)
      await verifyTaken(answer, backend, wire.hasSession())
      const isBeginning = message.method === 'initialize'
      if (isBeginning) wire.begin(findField(answer, 'mcp-session-id'))
      let isAnswered = false
      const pass = (each: Message) => {
        if (each.kind === 'response' && each.id === message.id) {
          isAnswered = true
          if (isBeginning) wire.agree(each.revision ?? '')
        }
        return onMessage(each)
      }
      let position = await takeAnswer(answer, pass)
      // A server may end the stream of an answer and go on in another one (MCP 2025-11-25).
      for (let fruitless = 0; !isAnswered && fruitless < fruitlessAllowed; fruitless += 1) {
        if (position.lastEventId === undefined) break
        const before = position
        await waitToResume(position, signal)
        const more = await wire.resume(position, caller)
        verifyEventStream(more, backend)
        position = await takeAnswer(more, pass, position)
        if (position.lastEventId !== before.lastEventId) fruitless = -1
      }
      if (!isAnswered) throw unanswered()
    },
  }
}

/** The stream on which a backend speaks of its own accord, if it has one. */
async function listen(
  wire: Wire,
  caller: Caller,
  { backend, session, onMessage }: BackendLinkOptions,
): Promise<void> {
  const { signal } = session
  let position: Position = {}
  for (let fruitless = 0; fruitless < fruitlessAllowed && !signal.aborted; fruitless += 1) {
    const answer = await wire.resume(position, caller)
    if (answer.status !== 200 || !isEventStream(answer)) return void (await readText(answer))
    verifyEventStream(answer, backend)
    const pass = (message: Message) => {
      fruitless = -1
      return onMessage(message)
    }
    position = await takeAnswer(answer, pass, position)
    await waitToResume(position, signal)
  }
}

type Wire = ReturnType<typeof createWire>

/** The requests of a session, with what it has agreed upon. */
function createWire({ backend, session: { signal } }: BackendLinkOptions) {
  let latest: Caller | undefined
  let sessionId = ''
  let revision = ''
  const send = (
    method: string,
    { caller, extra = [], body, until = signal }: Sending,
  ): Promise<BackendAnswer> => {
    latest = caller
    const session: HeaderField[] = sessionId === '' ? [] : [['mcp-session-id', sessionId]]
    const headers = [...withRevision(caller.fields, revision), ...session, ...extra]
    return caller.ask({
      url: backend.to,
      method,
      headers,
      signal: until,
      ...(body !== undefined && { body }),
    })
  }
  return {
    begin: (id: string) => void (sessionId = id),
    agree: (agreed: string) => void (revision = agreed),
    hasSession: () => sessionId !== '',
    post: ({ text }: Message, caller: Caller) =>
      send('POST', { caller, extra: postFields, body: text }),
    resume: ({ lastEventId }: Position, caller: Caller) =>
      send('GET', {
        caller,
        extra: [
          ['accept', 'text/event-stream'],
          ...(lastEventId === undefined ? [] : [['last-event-id', lastEventId] as const]),
        ],
      }),
    async leave() {
      if (sessionId === '' || latest === undefined) return
      const until = AbortSignal.timeout(farewellMs)
      await readText(await send('DELETE', { caller: latest, until }))
    },
  }
}

interface Sending {
  readonly caller: Caller
  readonly extra?: readonly HeaderField[]
  readonly body?: string
  readonly until?: AbortSignal
}

const postFields: readonly HeaderField[] = [
  ['accept', 'application/json, text/event-stream'],
  ['content-type', 'application/json'],
]

/** The client's own field wins: it knows what it agreed to. */
function withRevision(fields: readonly HeaderField[], revision: string): readonly HeaderField[] {
  const isNamed = fields.some(([name]) => name === 'mcp-protocol-version')
  return isNamed || revision === '' ? fields : [...fields, ['mcp-protocol-version', revision]]
}

/**
 * Refuses to go on when the backend did not take a message.
 *
 * @throws OAuthError with the backend's own status and message, or 502
 */
async function verifyTaken(
  answer: BackendAnswer,
  backend: HttpBackend,
  hasSession: boolean,
): Promise<void> {
  const { status, headers } = answer
  cleanResponseFields(status, headers, backend)
  if (status >= 200 && status < 300) return
  const said = /"message"\s*:\s*"([^"\\]{1,200})"/.exec(await readText(answer))?.[1]
  throw new OAuthError('invalid_request', said ?? `The MCP server answered ${status}`, {
    status: status >= 400 && status < 500 ? status : 502,
    reason: status === 404 && hasSession ? sessionGone : 'backend_refused_message',
  })
}

function unanswered(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server ended before it answered', {
    status: 502,
    reason: 'backend_unanswered',
    retryAfterSeconds: 5,
  })
}
