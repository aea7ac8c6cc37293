/** Whether, and for how long, the identity provider of a grant stands behind tokens that are about to be issued. */
import type { RequestContext } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import type { Grant } from '../../storage/records/grant.ts'

/**
 * The longest that an access token may live, in seconds: ours, less where the provider's ends before.
 *
 * `upstream` is how the person signed in; unknown for what was stored before that was written down.
 *
 * @throws OAuthError `invalid_grant` when the person must sign in again or may no longer enter,
 *   `temporarily_unavailable` when the provider cannot be asked now
 */
export async function resolveLifetime(
  { userId, upstream, resource }: Pick<Grant, 'userId' | 'upstream' | 'resource'>,
  { custody, config, clock }: Pick<RequestContext, 'custody' | 'config' | 'clock'>,
): Promise<number> {
  const backend = config.backends.find((one) => one.resource === resource)
  // It may have begun to demand another provider after the person signed in (catalogue UP-12).
  if (backend?.signInWith !== undefined && backend.signInWith !== upstream) throw signInElsewhere()
  const longest = config.lifetimes.accessTokenSeconds
  if (upstream === undefined) return longest
  const { until } = await custody.verify(userId, upstream)
  if (until === undefined) return longest
  const left = until - clock.now()
  if (left < 1) throw unavailable('upstream_token_ended')
  return Math.min(longest, left)
}

function signInElsewhere(): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'This MCP server demands another way to sign in by now; start the authorization again',
    { reason: 'sign_in_elsewhere' },
  )
}
