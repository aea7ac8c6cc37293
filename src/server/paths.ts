/** Where the endpoints of the authorization server live below the issuer. */

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
