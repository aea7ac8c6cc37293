/**
 * The name a client gives itself, as a person will read it on the consent page (CR-11).
 *
 * Escaping is the page's business; this file keeps out what a page cannot make harmless: characters that
 * are invisible, reorder the text or break a log line.
 */
import { OAuthError } from '../errors.ts'

/** Longest name, in characters. */
const nameLengthAllowed = 128

/**
 * Control, format (zero-width, bidi, tags), separator, surrogate and private-use characters, and the
 * letters and marks that show as nothing: combining grapheme joiner, Hangul fillers, Mongolian
 * variation selectors, Braille blank.
 */
const deceptive =
  /[\u034F\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u180B-\u180F\u115F\u1160\u3164\uFFA0\u2800]/u

/**
 * Reads a client name and returns it in NFKC, trimmed.
 *
 * It is normalised first and checked then, so that nothing appears by normalising. Throws
 * `invalid_client_metadata`.
 */
export function parseClientName(value: unknown): string {
  const name = typeof value === 'string' ? value.normalize('NFKC').trim() : ''
  if (name === '') throw refuse('must be a text that can be read')
  if ([...name].length > nameLengthAllowed) {
    throw refuse(`must not be longer than ${nameLengthAllowed} characters`)
  }
  if (deceptive.test(name)) throw refuse('has control, invisible or text-reordering characters')
  return name
}

function refuse(why: string): OAuthError {
  return new OAuthError('invalid_client_metadata', `Member client_name ${why}`, {
    reason: 'client_name_refused',
  })
}
