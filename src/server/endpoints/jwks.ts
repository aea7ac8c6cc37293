/**
 * GET /jwks: the public keys that verify our tokens (RFC 7517).
 *
 * The one answer of the server that may be cached, for five minutes: a new key is published longer
 * than that before it signs (catalogue DI-14).
 */
import type { Endpoint } from '../../context.ts'
import { keySetCacheSeconds } from '../../tokens/key-rotation.ts'

/** Answers with the key set; private and symmetric members are never in it (DI-12). */
export const jwks: Endpoint = async (_request, context) => {
  const keySet = context.keys.jwks()
  const body = bodies.get(keySet) ?? JSON.stringify(keySet)
  bodies.set(keySet, body)
  return { status: 200, headers, body }
}

const headers = {
  'content-type': 'application/jwk-set+json',
  'cache-control': `public, max-age=${keySetCacheSeconds}`,
  'x-content-type-options': 'nosniff',
}

/** Each key set as text, as long as it is in force. */
const bodies = new WeakMap<object, string>()
