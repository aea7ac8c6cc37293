/**
 * An event stream of our own to a client: events go in one by one, at the pace at which the client
 * reads, and a comment goes into every silence, so that nothing in between takes the stream for dead
 * (catalogue ST-05).
 */
import { corsHeaders } from '../../../oauth/cors.ts'
import { exposedFields } from '../../refusal.ts'
import { renderEvent, type ServerEvent } from '../legacy/events.ts'

/** The writing end of a client's stream. */
export interface EventOutlet {
  readonly response: Response
  /** Aborted when the stream is over, whichever side ended it. */
  readonly over: AbortSignal
  /** Resolves when the client has room for more, or is gone. Nothing is sent any more once it is over. */
  send(event: ServerEvent): Promise<void>
  end(): void
}

/** What waits for a slow client at most before `send` waits too, in bytes. */
const roomBytes = 64 * 1024

/** Silence after which a comment is sent, in milliseconds; proxies give up after 30 s and more. */
const silenceMs = 20_000

const keepAlive = new TextEncoder().encode(': keep-alive\n\n')

/** Fields of every stream of ours: not stored, not held back, not compressed (catalogue ST-04, RS-22). */
const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  vary: 'Authorization',
  ...corsHeaders(exposedFields),
}

/** A stream that begins with a comment, so that its client learns at once that it is open. */
export function createEventOutlet(headers: Record<string, string> = {}): EventOutlet {
  const encoder = new TextEncoder()
  const ending = new AbortController()
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined
  const waiting = new Set<() => void>()
  let isSilent = true
  const timer = setInterval(() => {
    if (isSilent && (stream?.desiredSize ?? 0) > 0) stream?.enqueue(keepAlive)
    isSilent = true
  }, silenceMs)
  // Only Node has this; elsewhere a timer does not keep anything alive.
  timer.unref?.()
  const wake = () => {
    for (const go of waiting) go()
    waiting.clear()
  }
  const finish = () => {
    clearInterval(timer)
    ending.abort()
    wake()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        stream = controller
        controller.enqueue(keepAlive)
      },
      pull: wake,
      cancel: finish,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: roomBytes }),
  )
  return {
    response: new Response(body, { status: 200, headers: { ...streamHeaders, ...headers } }),
    over: ending.signal,
    async send(event) {
      if (ending.signal.aborted || !stream) return
      stream.enqueue(encoder.encode(renderEvent(event)))
      isSilent = false
      if ((stream.desiredSize ?? 0) > 0) return
      await new Promise<void>((resolve) => waiting.add(resolve))
    },
    end() {
      if (ending.signal.aborted) return
      finish()
      stream?.close()
    },
  }
}
