/** The connection that hints come in on: LISTEN is session state, so no pooler may be in between. */
import type { PostgresListener } from './postgres-client.ts'

/** After a lost connection, the first pause before the next attempt; it doubles up to the longest. */
const firstPauseMilliseconds = 250
const longestPauseMilliseconds = 5000

/** How often a silent connection is tried, and how long it may take to answer. */
const tryMilliseconds = 10_000
const answerMilliseconds = 3000

/** A connection that notifications come in on, made anew whenever it breaks. */
export interface HintEar {
  /**
   * Connects for the first time.
   *
   * @throws whatever the client throws
   */
  open(): Promise<void>
  isHearing(): boolean
  close(): void
}

/** What an ear needs. */
export interface HintEarOptions {
  create(): PostgresListener
  /** The LISTEN statement. */
  listen: string
  /** Called with each payload; with the empty one after a gap in which some were missed. */
  onPayload(payload: string): void
}

/** Creates an ear that hears nothing yet. */
export function createHintEar({ create, listen, onPayload }: HintEarOptions): HintEar {
  let current: PostgresListener | undefined
  let timer: NodeJS.Timeout | undefined
  let pause = firstPauseMilliseconds
  let closed = false

  const connect = async (): Promise<void> => {
    const client = create()
    const onLost = (): void => {
      if (current === client) lose()
    }
    // Without a listener an error would end the process; `end` follows it.
    client.on('error', onLost)
    client.on('end', onLost)
    client.on('notification', ({ payload = '' }) => onPayload(payload))
    await begin(client, listen)
    if (closed) return letGo(client)
    current = client
    pause = firstPauseMilliseconds
    timer = setTimeout(() => void check(client), tryMilliseconds).unref()
  }
  const check = async (client: PostgresListener): Promise<void> => {
    try {
      await client.query({ text: 'SELECT 1', query_timeout: answerMilliseconds })
      if (current !== client) return
      timer = setTimeout(() => void check(client), tryMilliseconds).unref()
    } catch {
      if (current === client) lose()
      letGo(client)
    }
  }
  const lose = (): void => {
    current = undefined
    clearTimeout(timer)
    if (!closed) timer = setTimeout(() => void reconnect(), pause).unref()
    pause = Math.min(pause * 2, longestPauseMilliseconds)
  }
  const reconnect = async (): Promise<void> => {
    try {
      await connect()
      if (current) onPayload('')
    } catch {
      lose()
    }
  }

  return {
    open: connect,
    isHearing: () => current !== undefined,
    close() {
      closed = true
      clearTimeout(timer)
      const client = current
      current = undefined
      if (client) letGo(client)
    },
  }
}

async function begin(client: PostgresListener, listen: string): Promise<void> {
  try {
    await client.connect()
    await client.query({ text: listen, query_timeout: answerMilliseconds })
  } catch (error) {
    letGo(client)
    throw error
  }
}

/** Ends a connection that is of no use, without waiting for it. */
function letGo(client: PostgresListener): void {
  client.end().catch(() => {})
}
