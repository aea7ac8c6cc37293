/** What people read about each scope, where only its name is given. */

/** The sentence for a scope that has none of its own. */
export function toScopeSentence(name: string): string {
  return `Use “${name}”`
}

/**
 * The scopes of a list such as `OAUTH_VALID_SCOPES`, which says which there are, with the sentences that the
 * file has for them. Anything else is as it was given.
 */
export function keepSentences(given: unknown, ofFile: unknown): unknown {
  if (!Array.isArray(given) || typeof ofFile !== 'object' || ofFile === null) return given
  if (Array.isArray(ofFile)) return given
  const sentences = new Map<string, unknown>(Object.entries(ofFile))
  return Object.fromEntries(
    given.map((name) => [
      String(name),
      sentences.get(String(name)) ?? toScopeSentence(String(name)),
    ]),
  )
}
