/**
 * New tokens of a provider for old ones, asked for under the lease.
 *
 * An answer that was lost is asked for once more with the same refresh token, in this process at once and
 * after its death by whoever takes the lease over. `invalid_grant` ends the link, unless the former holder of
 * the lease may have been faster; everything else passes, and the provider is left alone for some seconds.
 */
import { OAuthError, unavailable } from '../errors.ts'
import { claim, isDoubtful, type LeasePorts, saveResult, toDoubted } from './custody-lease.ts'
import { type LinkName, type OpenLink, toEnded, toReleased, withTokens } from './custody-link.ts'
import type { UpstreamTokens } from './upstream.ts'

/** How long a provider that failed is left alone, in seconds. */
export const restSeconds = 5

/** Trades the refresh token of a leased link and writes down what came of it. */
export async function refreshLeased(
  ports: LeasePorts,
  name: LinkName,
  leased: OpenLink,
): Promise<void> {
  const { upstream } = name
  const { tokens } = leased
  const refreshToken = tokens?.refreshToken
  if (tokens === undefined || refreshToken === undefined || upstream.refresh === undefined) return
  const refresh = upstream.refresh.bind(upstream)
  const outcome = await askTwice(ports, leased, () => refresh({ ...tokens, refreshToken }))
  if (outcome === undefined) return
  const { link } = outcome
  if ('error' in outcome) return saveFailure(ports, name, link, outcome.error)
  const renewed = withTokens(ports, link, joinTokens(outcome.answer, tokens))
  await saveResult(ports, renewed, toReleased(renewed.value, {}))
}

/**
 * New tokens in place of old ones. When there is no refresh token among them, the old one stays (UP-15), unless
 * it was given to another application, which alone could use it.
 */
export function joinTokens(
  next: UpstreamTokens,
  before: UpstreamTokens | undefined,
): UpstreamTokens {
  if (next.refreshToken !== undefined || before?.refreshToken === undefined) return next
  if (next.application !== before.application) return next
  const { refreshToken, refreshExpiresAt } = before
  return { ...next, refreshToken, ...(refreshExpiresAt !== undefined && { refreshExpiresAt }) }
}

/** What a provider answered, or why it did not, and the lease as it was then. */
export type Outcome<T> =
  | { readonly link: OpenLink; readonly answer: T }
  | { readonly link: OpenLink; readonly error: unknown }

/**
 * Asks, and once more when the answer was lost; undefined when somebody else took the lease over meanwhile
 * and nothing new is known.
 *
 * @param renew puts into the link what asking changed of it, also when it failed
 */
export async function askTwice<T>(
  ports: LeasePorts,
  leased: OpenLink,
  ask: () => Promise<T>,
  renew: (link: OpenLink) => OpenLink = (link) => link,
): Promise<Outcome<T> | undefined> {
  try {
    const answer = await ask()
    return { link: renew(leased), answer }
  } catch (error) {
    if (isFinal(error)) return { link: renew(leased), error }
  }
  const before = renew(leased)
  const link = await claim(ports, before)
  if (!link) return before.spent && { link: before, error: leaseLost() }
  try {
    const answer = await ask()
    return { link: renew(link), answer }
  } catch (error) {
    return { link: renew(link), error }
  }
}

/** What asking brought so far is written down all the same. */
function leaseLost(): OAuthError {
  return unavailable('upstream_lease_lost')
}

/** Whether the provider has spoken for good. */
function isFinal(error: unknown): boolean {
  return isRefusal(error, 'invalid_grant') || isRefusal(error, 'access_denied')
}

/** Whether the provider refused with this code. */
export function isRefusal(error: unknown, code: OAuthError['code']): boolean {
  return error instanceof OAuthError && error.code === code
}

/**
 * Ends the link when the provider refused its tokens for good; otherwise keeps everything and lets the provider
 * rest, or waits for whom the lease was taken over from.
 */
export async function saveFailure(
  ports: LeasePorts,
  { userId, upstream: { id: upstream } }: LinkName,
  link: OpenLink,
  error: unknown,
): Promise<void> {
  const { clock, log, audit } = ports
  if (isRefusal(error, 'invalid_grant')) {
    if (isDoubtful(link)) {
      log.info('An identity provider refused tokens that another process may have spent', {
        upstream,
      })
      await saveResult(ports, link, toDoubted(link, clock.now()))
      return
    }
    const isEnded = await saveResult(ports, link, toEnded(link.value, 'refused', clock.now()))
    if (!isEnded) return
    log.info('An identity provider refused its tokens for good', { upstream })
    const reason = 'tokens_refused'
    return audit({ event: 'upstream.ended', outcome: 'ok', reason, userId, details: { upstream } })
  }
  log.warn('An identity provider could not be asked about a person', { upstream, error })
  await saveResult(ports, link, toReleased(link.value, { restUntil: clock.now() + restSeconds }))
}
