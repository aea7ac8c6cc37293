/**
 * Server-sent events as text (WHATWG HTML §9.2): read from any chunks, written so that nothing in an
 * event can begin another field (catalogue ST-07).
 */
import { OAuthError } from '../../../errors.ts'

/** One event. An event without data only moves the position of its stream, or its retry time. */
export interface ServerEvent {
  /** `message` when the stream names none. */
  readonly type: string
  /** Lines are parted by `\n`. Undefined when the event has no `data` field. */
  readonly data?: string
  readonly id?: string
  /** How long to wait before coming back, in milliseconds, as the wire has it. */
  readonly retry?: string
}

/** Longest event that is held in memory, in characters: tools answer with images. */
export const longestEvent = 16 * 1024 * 1024

/**
 * A reader of one stream: takes its chunks in order, and returns the events that each one completes.
 *
 * Chunks may part an event, a line end or a character anywhere. An event that the stream leaves
 * unfinished never comes out. Comments are dropped.
 *
 * @throws OAuthError `temporarily_unavailable` with status 502 for an event longer than `limit`
 *   characters, before it is complete
 */
export function createEventReader(limit = longestEvent): (chunk: Uint8Array) => ServerEvent[] {
  const decoder = new TextDecoder()
  const lines = createLineReader()
  let fields: string[] = []
  let length = 0
  return (chunk) => {
    const events: ServerEvent[] = []
    for (const line of lines.read(decoder.decode(chunk, { stream: true }))) {
      if (line === '') {
        const event = toEvent(fields)
        if (event) events.push(event)
        fields = []
        length = 0
        continue
      }
      length += line.length
      if (length > limit) throw eventTooLong(limit)
      if (!line.startsWith(':')) fields.push(line)
    }
    if (length + lines.heldLength() > limit) throw eventTooLong(limit)
    return events
  }
}

/** Splits at CR, LF and CRLF, also where a chunk ends between the two. */
function createLineReader() {
  let held = ''
  let afterReturn = false
  return {
    heldLength: () => held.length,
    read(text: string): string[] {
      if (text === '') return []
      const fresh = afterReturn && text.startsWith('\n') ? text.slice(1) : text
      afterReturn = text.endsWith('\r')
      const parts = fresh.split(/\r\n|\r|\n/)
      const last = parts.pop() ?? ''
      if (parts.length > 0) parts[0] = held + (parts[0] ?? '')
      held = parts.length > 0 ? last : held + last
      return parts
    },
  }
}

function toEvent(lines: readonly string[]): ServerEvent | undefined {
  const fields = lines.map(parseField)
  const find = (name: string) => fields.findLast((field) => field.name === name)?.value
  const data = fields.filter(({ name }) => name === 'data').map(({ value }) => value)
  const id = fields.findLast(({ name, value }) => name === 'id' && !value.includes('\0'))?.value
  const retry = fields.findLast(({ name, value }) => name === 'retry' && isDigits(value))?.value
  if (data.length === 0 && id === undefined && retry === undefined) return undefined
  return {
    type: find('event') || 'message',
    ...(data.length > 0 && { data: data.join('\n') }),
    ...(id !== undefined && { id }),
    ...(retry !== undefined && { retry }),
  }
}

function parseField(line: string): { name: string; value: string } {
  const colon = line.indexOf(':')
  if (colon < 0) return { name: line, value: '' }
  const value = line.slice(colon + 1)
  return { name: line.slice(0, colon), value: value.startsWith(' ') ? value.slice(1) : value }
}

const isDigits = (value: string): boolean => /^\d{1,9}$/.test(value)

/** The event as it stands in a stream. */
export function renderEvent({ type, data, id, retry }: ServerEvent): string {
  const lines: string[] = []
  if (id !== undefined) lines.push(`id: ${toOneLine(id)}`)
  if (retry !== undefined && isDigits(retry)) lines.push(`retry: ${retry}`)
  if (data !== undefined) {
    lines.push(`event: ${toOneLine(type)}`)
    lines.push(...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`))
  }
  return `${lines.join('\n')}\n\n`
}

function toOneLine(value: string): string {
  return value.replace(/[\r\n\0]/g, '')
}

function eventTooLong(limit: number): OAuthError {
  return new OAuthError('temporarily_unavailable', 'The MCP server sent too long an event', {
    status: 502,
    reason: 'event_too_long',
    cause: new Error(`An event has more than ${limit} characters`),
    retryAfterSeconds: 30,
  })
}
