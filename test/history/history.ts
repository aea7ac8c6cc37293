/** What clients asked and were told, with the times at which they asked and were told. */

/** What a request was for. */
export type Operation = 'register' | 'authorize' | 'redeem' | 'refresh' | 'revoke' | 'introspect'

/** One request. */
export interface Entry {
  readonly operation: Operation
  /** What it was about: a client id, a code or a refresh token. */
  readonly subject: string
  /** The holder of the newest token, or somebody who has an older one. */
  readonly by: 'owner' | 'thief'
  /** Milliseconds of one clock. */
  readonly invokedAt: number
  /** Infinite while nothing came back, and for ever when the connection broke. */
  returnedAt: number
  /** The status; absent when the connection broke. */
  status?: number
  /** The members of the answer that the checker looks at. */
  answer?: {
    readonly client_id?: string
    readonly code?: string
    readonly refresh_token?: string
    readonly active?: boolean
    readonly error?: string
  }
}

/** Notes entries as they happen. */
export interface History {
  readonly entries: readonly Entry[]
  /** Notes the question; the entry is to be completed with {@link History.end}. */
  begin(question: Pick<Entry, 'operation' | 'subject' | 'by'>): Entry
  /** Notes the answer; without one the connection broke. */
  end(entry: Entry, answer?: Pick<Entry, 'status' | 'answer'>): void
}

export function createHistory(): History {
  const entries: Entry[] = []
  return {
    entries,
    begin(question) {
      const entry: Entry = { ...question, invokedAt: performance.now(), returnedAt: Infinity }
      entries.push(entry)
      return entry
    },
    end(entry, answer) {
      if (answer) Object.assign(entry, answer, { returnedAt: performance.now() })
    },
  }
}
