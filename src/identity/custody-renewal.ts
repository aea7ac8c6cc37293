/**
 * Another access token in place of one that a backend refused although it should still live: revoked at the
 * provider, or for another key or audience than the backend now expects.
 */
import { unavailable } from '../errors.ts'
import { type LeasePorts, settle } from './custody-lease.ts'
import { isRefreshable, isResting, type LinkName } from './custody-link.ts'
import { refreshLeased } from './custody-refresh.ts'
import { signInAnew, verifyLink } from './custody-token.ts'
import { reverifyLeased } from './custody-verify.ts'

/**
 * A token that is younger, in seconds, is as good as the provider has: a backend that refuses every token
 * costs the provider one request a minute for each person, whatever it is called with.
 */
const youngSeconds = 60

/** There is none that the backend would rather take, and the provider does not say that the sign-in is over. */
export const noBetterToken = Symbol('no better token')

/**
 * Another access token than the refused one. Where it cannot be refreshed, the provider is asked whether it
 * still knows it.
 *
 * @throws OAuthError `invalid_grant` when the provider says that only a new sign-in helps,
 *   `temporarily_unavailable` when it cannot be asked now
 */
export function settleRenewal(
  ports: LeasePorts,
  name: LinkName,
  refused: string,
): Promise<string | typeof noBetterToken> {
  const { upstream } = name
  const { clock } = ports
  return settle<string | typeof noBetterToken>(ports, name, {
    judge(found) {
      const link = verifyLink(found)
      if (!link.tokens) throw signInAnew('upstream_tokens_missing')
      if (link.tokens.accessToken !== refused) return link.tokens.accessToken
      const now = clock.now()
      const { givenAt = 0, verifiedAt } = link.value
      if (now - givenAt < youngSeconds) return noBetterToken
      if (isResting(link, now)) throw unavailable('upstream_resting')
      if (isRefreshable(link, upstream, now)) return undefined
      const isKnown = !upstream.reverify || now - verifiedAt < youngSeconds
      return isKnown ? noBetterToken : undefined
    },
    ask: (leased) =>
      isRefreshable(leased, upstream, clock.now())
        ? refreshLeased(ports, name, leased)
        : reverifyLeased(ports, name, { leased, mayBeStale: false }),
  })
}
