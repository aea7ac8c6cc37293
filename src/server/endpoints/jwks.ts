/**
 * GET /jwks: the public keys that verify our tokens (RFC 7517).
 *
 * The one answer of the server that may be cached, for five minutes: a new key is published longer
 * than that before it signs (catalogue DI-14).
 */
import { toDocument } from '../../context.ts'
import type { Answer } from '../../platform/exchange.ts'
import { keySetCacheSeconds } from '../../tokens/key-rotation.ts'

/** Answers with the key set; private and symmetric members are never in it (DI-12). */
export const jwks = toDocument(({ keys }) => {
  const keySet = keys.jwks()
  const answer = answers.get(keySet) ?? render(keySet)
  answers.set(keySet, answer)
  return answer
})

const headers = {
  'content-type': 'application/jwk-set+json',
  'cache-control': `public, max-age=${keySetCacheSeconds}`,
  'x-content-type-options': 'nosniff',
}

function render(keySet: object): Answer {
  return { status: 200, headers, body: JSON.stringify(keySet) }
}

/** The answer with each key set, as long as it is in force. */
const answers = new WeakMap<object, Answer>()
