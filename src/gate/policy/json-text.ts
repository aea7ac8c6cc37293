/**
 * JSON that can be read in one way only. Parsers differ in which of two members with one name counts, so
 * a body that has such is refused: what was judged must be what the backend reads.
 */
import { OAuthError } from '../../errors.ts'

/** How deep objects are looked at: an operation and what it names stand far above this. */
const depthJudged = 5

/**
 * The value of a JSON text.
 *
 * @throws OAuthError `invalid_request` for anything else, and for a member that stands twice in an object
 *   of the outer five levels
 */
export function parseUnambiguousJson(text: string): unknown {
  const value = parseJson(text)
  const repeated = findRepeatedMember(text)
  if (repeated === undefined) return value
  throw malformed(`The message has the member ${repeated.slice(0, 40)} twice`, 'member_repeated')
}

/** The refusal of a message that the gate cannot judge. */
export function malformed(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_request', description, { reason })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OAuthError('invalid_request', 'The body is not JSON', { reason: 'not_json', cause })
  }
}

/** The text is known to be JSON, so that strings and brackets tell all. */
function findRepeatedMember(text: string): string | undefined {
  const names: Set<string>[] = []
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at)
    if (letter === closeBrace || letter === closeBracket) depth -= 1
    if (letter === openBrace || letter === openBracket) {
      depth += 1
      if (depth <= depthJudged) names[depth] = new Set()
    }
    if (letter !== quote) continue
    const end = findStringEnd(text, at)
    const name = depth > depthJudged ? undefined : readName(text, at, end)
    at = end
    if (name === undefined) continue
    if (names[depth]?.has(name)) return name
    names[depth]?.add(name)
  }
  return undefined
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const spaces: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/** The first quote after the opening one that is not escaped. */
function findStringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && countBackslashes(text, end) % 2 === 1) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function countBackslashes(text: string, before: number): number {
  let at = before - 1
  while (text.charCodeAt(at) === backslash) at -= 1
  return before - 1 - at
}

/** The name that a string is, when a colon makes it one. `"na\u006de"` and `"name"` are one name. */
function readName(text: string, start: number, end: number): string | undefined {
  let after = end + 1
  while (spaces.has(text.charCodeAt(after))) after += 1
  if (text.charCodeAt(after) !== colon) return undefined
  const written = text.slice(start + 1, end)
  return written.includes('\\') ? String(JSON.parse(`"${written}"`)) : written
}
