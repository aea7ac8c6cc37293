/**
 * GET /callback/:upstream, or the path configured for the provider: it sends the browser back.
 *
 * State, browser and cookie are proven before anything of the provider is believed or exchanged
 * (catalogue UP-01, UP-04). A provider that cannot be reached costs a retry, not the flow.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { isNotAdmitted } from '../../identity/admit.ts'
import type { ArrivalNews } from '../../identity/arrivals.ts'
import type { KnownUser } from '../../identity/profiles.ts'
import type { Upstream } from '../../identity/upstream.ts'
import type { Answer } from '../../platform/exchange.ts'
import type { Flow } from '../../storage/records/flow.ts'
import type { Stored } from '../../storage/records/record.ts'
import { arriveSignedIn } from '../flow/arrive.ts'
import { denyFlow } from '../flow/finish.ts'
import { refuseArrival } from '../flow/refuse.ts'
import { type Arrival, findUpstreamAt, takeTrip, toRetryable } from '../flow/upstream-trip.ts'

/** Completes the round trip to a provider. */
export const callback: Endpoint = async (request, context) => {
  const url = new URL(request.url)
  const upstream = findUpstreamAt(url.pathname, context)
  if (!upstream) {
    throw new OAuthError('invalid_request', 'There is no such identity provider', {
      status: 404,
      reason: 'not_found',
    })
  }
  const arrival = await takeTrip(request, upstream, context)
  try {
    const user = await admit(upstream, url, arrival, context)
    return await arriveSignedIn(arrival.journey, user.record.value, upstream.id, context)
  } catch (error) {
    reportFailure(upstream, error, context)
    const { flow } = arrival.journey
    return endArrival(error, flow, context).catch((fault) =>
      Promise.reject(toRetryable(fault, flow.value.id, context)),
    )
  }
}

/** Those who may not enter are told; that the person said no is an answer for the client, not a fault. */
async function endArrival(
  error: unknown,
  flow: Stored<Flow>,
  context: RequestContext,
): Promise<Answer> {
  if (isNotAdmitted(error)) return refuseArrival(error, flow, context)
  if (wasDeclined(error)) return denyFlow(flow, context)
  throw error
}

async function admit(
  upstream: Upstream,
  url: URL,
  { upstreamFlow }: Arrival,
  context: RequestContext,
): Promise<KnownUser> {
  // The provider compares this address with the one it was given: ours, whatever the Host header says.
  const callbackUrl = new URL(upstreamFlow.redirectUri + url.search)
  const identity = await upstream.finish(callbackUrl, upstreamFlow)
  const { invitedOnly, linkByVerifiedEmail } = context.config
  const onNews = (news: ArrivalNews): void => reportNews(upstream, news, context)
  const rules = { invitedOnly, linkByVerifiedEmail, label: upstream.label, onNews }
  const user = await context.users.admit(upstream.id, identity, rules)
  await context.custody.keep(user.record.value.id, upstream.id, identity.tokens)
  return user
}

function reportNews(
  { id: upstream }: Upstream,
  { kind, userId, role, isInvited }: ArrivalNews,
  { audit }: RequestContext,
): void {
  const event = kind === 'added' ? 'user.added' : 'user.linked'
  audit({ event, outcome: 'ok', userId, details: { upstream, role, invited: isInvited } })
}

/** Whether the person said no at the provider. */
function wasDeclined(error: unknown): boolean {
  return error instanceof OAuthError && error.reason === 'upstream_denied'
}

function reportFailure(upstream: Upstream, error: unknown, context: RequestContext): void {
  const reason = error instanceof OAuthError ? (error.reason ?? error.code) : 'fault'
  const refused = isNotAdmitted(error)
  context.log.warn('Sign-in at the identity provider failed', {
    upstream: upstream.id,
    reason,
    // Whom a refusal is about stands in its description, and belongs in the audit log alone.
    error: refused ? error.cause : error,
  })
  context.metrics.count('sign_ins', { outcome: 'refused' })
  context.audit({
    event: 'sign-in.failed',
    outcome: 'refused',
    reason,
    details: { upstream: upstream.id, ...(refused && { description: error.description }) },
  })
}
