/** Reading `WWW-Authenticate` as clients do (RFC 9110 §11.6.1, RFC 6750 §3). */

/** A Bearer challenge. */
export interface BearerChallenge {
  /** Parameter names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * One piece of a challenge: `name="quoted \" value"` or `name=token`. Here and below a quote that nobody closes
 * ends with the text, so that nothing is read twice.
 */
const parameterPattern = /(?<![\w-])([\w-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)(?:"|\\?$)|([^\s,"]+))/g
const quotedPattern = /"(?:\\.|[^"\\])*(?:"|\\?$)/g

/** The Bearer challenge of a header that may hold several; undefined when there is none. */
export function parseBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  if (header === undefined) return undefined
  const begin = /(?:^|,\s*)Bearer(?:\s+|$)/i.exec(header)
  if (begin === null) return undefined
  const own = takeOwn(header.slice(begin.index + begin[0].length))
  const parameters: Record<string, string> = {}
  for (const [, name = '', quoted, token] of own.matchAll(parameterPattern)) {
    parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? token ?? ''
  }
  return { parameters }
}

/** Up to the next scheme: a comma, a word and a space that no `=` follows. */
function takeOwn(text: string): string {
  const plain = text.replace(quotedPattern, ({ length }) =>
    '"'.padEnd(length - 1, '_').padEnd(length, '"'),
  )
  const next = /,\s*[\w-]+\s+(?=[\w-])/.exec(plain)
  return next === null ? text : text.slice(0, next.index)
}
