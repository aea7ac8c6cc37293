/** Changes the JSON in an answer on its way: a whole body, or the data of each event of a stream. */
import type { BodyRewriter } from '../../platform/exchange.ts'

/** The text to send in place of a text; undefined, or thrown, for the same. */
export type RewriteText = (text: string) => string | undefined

/** Longest body, or event, that is looked at, in characters. What is longer passes unchanged. */
const lengthAllowed = 4 * 1024 * 1024

/** Rewrites a body as one text, once it is complete. */
export function createWholeRewriter(rewrite: RewriteText): BodyRewriter {
  return createHolder(rewrite, () => 0)
}

/** Rewrites the data of each event once the event is complete, and sends it on at once. */
export function createEventRewriter(rewrite: RewriteText): BodyRewriter {
  const rewriteAll: RewriteText = (events) =>
    events.replace(wholeEvent, (event) => rewriteEvent(event, rewrite))
  return createHolder(rewriteAll, findLastEventEnd)
}

/** Holds text back until `findEnd` says up to where it is complete, and for good when it gets too long. */
function createHolder(rewrite: RewriteText, findEnd: (text: string) => number): BodyRewriter {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const encoder = new TextEncoder()
  let held = ''
  let isGivenUp = false
  const release = (text: string) => (text === '' ? undefined : encoder.encode(text))
  return {
    write(chunk) {
      held += decoder.decode(chunk, { stream: true })
      isGivenUp ||= held.length > lengthAllowed
      const end = isGivenUp ? held.length : findEnd(held)
      const ready = held.slice(0, end)
      held = held.slice(end)
      return release(isGivenUp ? ready : rewriteSafely(ready, rewrite))
    },
    end: () => release(rewriteSafely(held + decoder.decode(), rewrite)),
  }
}

/** The text rewritten, or the same when that fails. */
export function rewriteSafely(text: string, rewrite: RewriteText): string {
  try {
    return text === '' ? text : (rewrite(text) ?? text)
  } catch {
    return text
  }
}

/** Events are parted by an empty line (HTML, Server-sent events). */
const emptyLine = /\n\r?\n|\r\r/g
const wholeEvent = /[^]+?(?:\n\r?\n|\r\r)/g

function findLastEventEnd(text: string): number {
  const last = [...text.matchAll(emptyLine)].at(-1)
  return last ? last.index + last[0].length : 0
}

/** The lines of data stand for one text, joined by line feeds; it becomes one line again. */
function rewriteEvent(event: string, rewrite: RewriteText): string {
  const lines = event.split(/\r\n|\n|\r/)
  const data = lines.filter((line) => line.startsWith('data:'))
  if (data.length === 0) return event
  const text = data.map((line) => line.replace(/^data: ?/, '')).join('\n')
  const rewritten = rewriteSafely(text, rewrite)
  if (rewritten === text) return event
  const others = lines.filter((line) => line !== '' && !line.startsWith('data:'))
  return `${[...others, `data: ${rewritten}`].join('\n')}\n\n`
}
