/** Where the endpoints of the authorization server live below the issuer. */
import type { Upstream } from '../identity/upstream.ts'

/** Path of every endpoint that other code or a document refers to. */
export const endpointPaths = {
  authorize: '/authorize',
  consent: '/consent',
  signIn: '/sign-in',
  callback: '/callback',
  setup: '/setup',
  token: '/token',
  register: '/register',
  revoke: '/revoke',
  introspect: '/introspect',
  jwks: '/jwks',
} as const

/** Path of our callback at a provider: its own, else `/callback/<id>`. */
export function toCallbackPath({
  id,
  callbackPath,
}: Pick<Upstream, 'id' | 'callbackPath'>): string {
  return callbackPath ?? `${endpointPaths.callback}/${id}`
}
