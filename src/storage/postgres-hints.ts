/**
 * Hints between instances: keys are sent with NOTIFY. They come in through `postgres-ear.ts`, and
 * while that hears nothing, the database is asked whether anything changed (`hint-watch.ts`).
 */
import type { Hints } from './hints.ts'

/** PostgreSQL takes less than 8000 bytes. */
const payloadLength = 7900

/** Most payloads at once; beyond that, everyone is told to look. */
const mostPayloads = 16

/** How long keys are gathered, so that a busy instance sends fifty times a second at most. */
const gatherMilliseconds = 20

/** Tells the other instances which keys were written. */
export interface HintSender {
  /** Sends these keys soon. Never fails: hints may be lost. */
  add(keys: readonly string[]): void
  /** Sends what waits, now. */
  drain(): Promise<void>
}

/**
 * Creates a sender.
 *
 * It works after the commit and beside it: a transaction that notifies waits, while it flushes, for
 * every other one on the server that does.
 */
export function createHintSender(send: (payloads: string[]) => Promise<unknown>): HintSender {
  const waiting = new Set<string>()
  let sending = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const sendAll = async (): Promise<void> => {
    if (waiting.size === 0) return
    const payloads = toPayloads([...waiting])
    waiting.clear()
    // A hint that could not be sent is lost; whoever needs the truth reads it from time to time.
    await send(payloads).catch(() => {})
  }
  const drain = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sending = sending.then(sendAll)
    return sending
  }
  return {
    add(keys) {
      for (const key of keys) waiting.add(key)
      timer ??= setTimeout(() => void drain(), gatherMilliseconds)
    },
    drain,
  }
}

/** Keys, one a line; they are printable ASCII. The empty payload says: anything may have changed. */
function toPayloads(keys: readonly string[]): string[] {
  const payloads: string[] = []
  for (const key of keys) {
    const last = payloads.at(-1)
    const isFull = last === undefined || last.length + 1 + key.length > payloadLength
    if (isFull) payloads.push(key)
    else payloads.splice(-1, 1, `${last}\n${key}`)
  }
  return payloads.length > mostPayloads ? [''] : payloads
}

/** Passes a received payload on to the listeners of this process. */
export function tellPayload(hints: Hints, payload: string): void {
  if (payload === '') hints.tellAll()
  else hints.tell(payload.split('\n'))
}
