/**
 * Parameters of a query or a form, as OAuth reads them (OAuth 2.1 §3.1, §3.2).
 *
 * An empty value counts as absent, a repeated parameter is refused when it is read, and a name is
 * only a name: `code[]=x` is a parameter called `code[]`.
 */
import { OAuthError } from '../errors.ts'

/** Most parameters one request may carry. */
const parametersAllowed = 100

/** The parameters of one request. */
export interface Params {
  /** The value, or undefined when absent or empty. Throws `invalid_request` when it is repeated. */
  get(name: string): string | undefined
  /** The value. Throws `invalid_request` when it is absent, empty or repeated. */
  required(name: string): string
  /** Every value that is not empty, in order: for `resource`, which may be repeated (RFC 8707 §2). */
  all(name: string): string[]
  /** Whether the parameter has at least one value. */
  has(name: string): boolean
}

/**
 * Reads an `application/x-www-form-urlencoded` body.
 *
 * A stray `%` stands for itself, as in every browser. Text that is not UTF-8, and NUL, which no
 * database takes, are `invalid_request` (TK-18). A genuine U+FFFD cannot be told from lost bytes and
 * is refused with them.
 */
export function parseForm(body: string): Params {
  const values = new Map<string, string[]>()
  let count = 0
  // The leading & keeps URLSearchParams from dropping a ? that begins the first name.
  for (const [name, value] of new URLSearchParams(`&${body}`)) {
    count += 1
    if (count > parametersAllowed) {
      throw new OAuthError(
        'invalid_request',
        `The request has more than ${parametersAllowed} parameters`,
        { reason: 'too_many_parameters' },
      )
    }
    verifyText(name, value)
    const known = values.get(name)
    if (known && value !== '') known.push(value)
    else if (value !== '') values.set(name, [value])
  }
  return toParams(values)
}

/** Reads the query of a URL, with or without its leading `?`, by the rules of {@link parseForm}. */
export function parseQuery(search: string): Params {
  return parseForm(search.startsWith('?') ? search.slice(1) : search)
}

/**
 * Refuses a body that is not a form: 415, `invalid_request` (TK-02, CN-06).
 *
 * The media type is compared whole and without regard to case; parameters such as `charset` may follow.
 */
export function verifyFormContentType(contentType: string | null): void {
  if (/^application\/x-www-form-urlencoded[ \t]*(?:;[^,]*)?$/i.test(contentType ?? '')) return
  throw new OAuthError(
    'invalid_request',
    'Content-Type must be application/x-www-form-urlencoded',
    { status: 415, reason: 'content_type' },
  )
}

function toParams(values: ReadonlyMap<string, readonly string[]>): Params {
  const get = (name: string): string | undefined => {
    const found = values.get(name) ?? []
    if (found.length > 1) {
      throw new OAuthError('invalid_request', `Parameter "${name}" is given more than once`, {
        reason: 'parameter_repeated',
      })
    }
    return found[0]
  }
  const required = (name: string): string => {
    const value = get(name)
    if (value !== undefined) return value
    throw new OAuthError('invalid_request', `Parameter "${name}" is missing`, {
      reason: 'parameter_missing',
    })
  }
  return {
    get,
    required,
    all: (name) => [...(values.get(name) ?? [])],
    has: (name) => values.has(name),
  }
}

const noText = /[\0\uFFFD]/

function verifyText(name: string, value: string): void {
  if (!noText.test(name) && !noText.test(value)) return
  const which = /^[\w.-]{1,40}$/.test(name) ? `Parameter "${name}"` : 'A parameter'
  throw new OAuthError('invalid_request', `${which} is not valid UTF-8 text`, {
    reason: 'parameter_not_text',
  })
}
