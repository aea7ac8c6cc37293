/**
 * Whether a provider still lets a person in, asked anew when it last said so too long ago.
 *
 * Asked under the same lease as new tokens: some providers spend the refresh token on it.
 */
import { OAuthError, unavailable } from '../errors.ts'
import { toRevocationWrites } from '../storage/records/upstream-revocation.ts'
import { isDoubtful, type LeasePorts, saveResult, settle } from './custody-lease.ts'
import {
  isAlive,
  isFresh,
  isRefreshable,
  isResting,
  isVerified,
  type LinkName,
  type OpenLink,
  toEnded,
  toReleased,
  withTokens,
} from './custody-link.ts'
import { askTwice, isRefusal, joinTokens, saveFailure } from './custody-refresh.ts'
import { signInAnew, verifyLink } from './custody-token.ts'
import { createAccountTest } from './login-key.ts'
import type { Upstream, UpstreamTokens } from './upstream.ts'

/**
 * The verdict about a person: `verified` within `reverifySeconds`, or `stale` when the access token must be
 * refreshed before anything can be asked with it.
 *
 * @param mayBeStale whether there is another attempt after new tokens: then a dead access token is no end yet
 * @throws OAuthError `invalid_grant` when the person may no longer enter or nothing can be asked any more,
 *   `temporarily_unavailable` when the provider cannot be asked now
 */
export function settleVerdict(
  ports: LeasePorts,
  name: LinkName,
  { reverifySeconds, mayBeStale }: { reverifySeconds: number; mayBeStale: boolean },
): Promise<'verified' | 'stale'> {
  const { upstream } = name
  return settle(ports, name, {
    judge(found) {
      const link = verifyLink(found)
      const now = ports.clock.now()
      if (isVerified(link, reverifySeconds, now)) return 'verified'
      if (isResting(link, now)) throw unavailable('upstream_resting')
      if (!link.tokens || !upstream.reverify) throw signInAnew('upstream_unverifiable')
      if (!isFresh(link, now) && isRefreshable(link, upstream, now)) return 'stale'
      if (!isAlive(link, now)) throw signInAnew('upstream_token_expired')
      return undefined
    },
    ask: (leased) => reverifyLeased(ports, name, { leased, mayBeStale }),
  })
}

/** Asks the provider under the lease whether the person may still enter, and writes down what it said. */
export async function reverifyLeased(
  ports: LeasePorts,
  name: LinkName,
  { leased, mayBeStale }: { leased: OpenLink; mayBeStale: boolean },
): Promise<void> {
  const { userId, upstream } = name
  const { tokens } = leased
  if (!tokens || !upstream.reverify) return
  const ask = await createQuestion(ports, name)
  const outcome = await askAnew(ports, ask, { ...leased, tokens })
  if (!outcome) return
  const { link } = outcome
  const now = ports.clock.now()
  if ('answer' in outcome) {
    const { tokens: renewed } = outcome.answer
    const verified = renewed ? withTokens(ports, link, joinTokens(renewed, link.tokens)) : link
    await saveResult(ports, verified, toReleased(verified.value, { verifiedAt: now }))
    return
  }
  if (isRefusal(outcome.error, 'access_denied')) {
    const ended = toEnded(link.value, 'not_admitted', now)
    const isEnded = await saveResult(ports, link, ended, toRevocationWrites(link, now))
    if (!isEnded) return
    ports.log.info('A person may no longer enter', { upstream: upstream.id, user: userId })
    const details = { upstream: upstream.id }
    const reason = 'not_admitted'
    return ports.audit({ event: 'upstream.ended', outcome: 'ok', reason, userId, details })
  }
  const mayRefresh = mayBeStale && !isDoubtful(link) && isRefreshable(link, upstream, now)
  if (mayRefresh && isRefusal(outcome.error, 'invalid_grant')) {
    await saveResult(ports, link, toReleased(link.value, { refreshFrom: now }))
    return
  }
  await saveFailure(ports, name, link, outcome.error)
}

/** Asks who the person is now, who has to be the one that signed in (OpenID Connect Core §12.2, UP-08). */
async function createQuestion(
  ports: LeasePorts,
  { userId, upstream }: LinkName,
): Promise<NonNullable<Upstream['reverify']>> {
  const isOwn = await createAccountTest(ports, userId, upstream.id)
  return async (tokens, onRenewed) => {
    if (!upstream.reverify) throw signInAnew('upstream_unverifiable')
    const answer = await upstream.reverify(tokens, onRenewed)
    if (isOwn(answer.subject)) return answer
    throw new OAuthError('access_denied', `${upstream.label} answered about somebody else`, {
      reason: 'upstream_other_person',
    })
  }
}

/** Asks with the tokens of the link. New ones that it cost stay, whatever the answer: the old ones are spent. */
function askAnew(
  ports: LeasePorts,
  reverify: NonNullable<Upstream['reverify']>,
  leased: OpenLink & { readonly tokens: UpstreamTokens },
) {
  let held = leased.tokens
  const ask = () =>
    reverify(held, (renewed) => {
      held = joinTokens(renewed, held)
    })
  const renew = (link: OpenLink) => (held === link.tokens ? link : withTokens(ports, link, held))
  return askTwice(ports, leased, ask, renew)
}
