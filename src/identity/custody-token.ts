/** The access token of a person at a provider: the one that is kept while it lasts, then a new one. */
import { OAuthError, unavailable } from '../errors.ts'
import { type LeasePorts, settle } from './custody-lease.ts'
import {
  isAlive,
  isFresh,
  isRefreshable,
  isResting,
  type LinkName,
  type OpenLink,
} from './custody-link.ts'
import { refreshLeased } from './custody-refresh.ts'

/** An access token that works. */
export interface LiveToken {
  readonly accessToken: string
  /** Unix seconds when it ends, as far as the provider said. */
  readonly expiresAt: number | undefined
  /** Unix seconds until which it can be used without looking for a newer one. Absent: for as long as it lives. */
  readonly freshUntil: number | undefined
}

/**
 * A live access token. While the provider fails, the old one serves as long as it lives.
 *
 * @throws OAuthError `invalid_grant` when the person must sign in again, `temporarily_unavailable` when the
 *   provider cannot be asked now
 */
export function settleToken(ports: LeasePorts, name: LinkName): Promise<LiveToken> {
  const { upstream } = name
  return settle(ports, name, {
    judge(found) {
      const link = verifyLink(found)
      const now = ports.clock.now()
      if (!link.tokens) throw signInAnew('upstream_tokens_missing')
      const { accessToken } = link.tokens
      const { expiresAt, refreshFrom: freshUntil } = link.value
      const token: LiveToken = { accessToken, expiresAt, freshUntil }
      if (isFresh(link, now)) return token
      if (!isRefreshable(link, upstream, now)) {
        if (isAlive(link, now)) return token
        throw signInAnew('upstream_token_expired')
      }
      if (!isResting(link, now)) return undefined
      if (isAlive(link, now)) return token
      throw unavailable('upstream_resting')
    },
    ask: (leased) => refreshLeased(ports, name, leased),
  })
}

/** The link, when it has not ended. */
export function verifyLink(link: OpenLink | undefined): OpenLink {
  if (!link) throw signInAnew('upstream_link_missing')
  if (link.value.endedAt === undefined) return link
  const { endedWhy = 'refused' } = link.value
  throw signInAnew(endedWhy === 'refused' ? 'upstream_tokens_refused' : `upstream_${endedWhy}`)
}

/** Only a new sign-in helps. The reason tells the log why; the client gets to know no more than that. */
export function signInAnew(reason: string): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'The sign-in at the identity provider has ended; start the authorization again',
    { reason },
  )
}
