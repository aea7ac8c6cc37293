/** The resource that a code or a refresh token is for, when its token request names one as well (RFC 8707 §2.2). */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Params } from '../../oauth/params.ts'
import { resolveResource } from '../../oauth/resource.ts'

/**
 * Refuses a token request that names another resource than the one granted; none may be named.
 *
 * @param what was issued for it, as the client is told: `The code`
 * @throws OAuthError `invalid_target`
 */
export function verifyGrantedResource(
  params: Params,
  { granted, what }: { readonly granted: string; readonly what: string },
  { config: { backends, resourceAliases } }: Pick<RequestContext, 'config'>,
): void {
  const asked = params.all('resource')
  if (asked.length === 0) return
  const known = backends.map(({ resource }) => resource)
  if (resolveResource(asked, known, resourceAliases) === granted) return
  throw new OAuthError('invalid_target', `${what} was issued for another resource`, {
    reason: 'resource_mismatch',
  })
}
