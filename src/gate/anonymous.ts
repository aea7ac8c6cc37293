/** Who calls where OAuth is off: nobody in particular, for whom every backend is open (A1). */
import type { Backend, Config } from '../context.ts'
import type { AccessTokenClaims } from '../tokens/access-token.ts'

/** Stands for user, client and grant. No id of ours looks like it. */
const anonymous = 'anonymous'

/**
 * What a token would say that allows everything, for as long as the process runs. Its issuer is nobody, so that
 * nothing is written down about its use.
 */
export function toAnonymousClaims(
  { resource }: Backend,
  { scopes }: Pick<Config, 'scopes'>,
): AccessTokenClaims {
  return {
    iss: '',
    sub: anonymous,
    aud: resource,
    exp: Number.MAX_SAFE_INTEGER,
    iat: 0,
    jti: anonymous,
    client_id: anonymous,
    scope: Object.keys(scopes).join(' '),
    gid: anonymous,
  }
}
