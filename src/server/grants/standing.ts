/** Whether, and for how long, the identity provider of a grant stands behind tokens that are about to be issued. */
import type { RequestContext } from '../../context.ts'
import { unavailable } from '../../errors.ts'

/**
 * The longest that an access token may live, in seconds: ours, less where the provider's ends before.
 *
 * @param upstream how the person signed in; unknown for what was stored before that was written down
 * @throws OAuthError `invalid_grant` when the person must sign in again or may no longer enter,
 *   `temporarily_unavailable` when the provider cannot be asked now
 */
export async function resolveLifetime(
  { userId, upstream }: { readonly userId: string; readonly upstream?: string },
  { custody, config, clock }: Pick<RequestContext, 'custody' | 'config' | 'clock'>,
): Promise<number> {
  const longest = config.lifetimes.accessTokenSeconds
  if (upstream === undefined) return longest
  const { until } = await custody.verify(userId, upstream)
  if (until === undefined) return longest
  const left = until - clock.now()
  if (left < 1) throw unavailable('upstream_token_ended')
  return Math.min(longest, left)
}
