/**
 * GET /callback/:upstream: the identity provider sends the browser back.
 *
 * State, browser and cookie are proven before anything of the provider is believed or exchanged
 * (catalogue UP-01, UP-04). A provider that cannot be reached costs a retry, not the flow.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Upstream } from '../../identity/upstream.ts'
import type { KnownUser } from '../../identity/users.ts'
import { arriveSignedIn } from '../flow/arrive.ts'
import { denyFlow } from '../flow/finish.ts'
import { type Arrival, takeTrip, toRetryable } from '../flow/upstream-trip.ts'

/** Completes the round trip to a provider. */
export const callback: Endpoint = async (request, context) => {
  const url = new URL(request.url)
  const upstream = context.upstreams.get(url.pathname.split('/').at(-1) ?? '')
  if (!upstream) {
    throw new OAuthError('invalid_request', 'There is no such identity provider', {
      status: 404,
      reason: 'not_found',
    })
  }
  const arrival = await takeTrip(request, upstream.id, context)
  try {
    const user = await admit(upstream, url, arrival, context)
    return await arriveSignedIn(arrival.journey, user.record.value, upstream.id, context)
  } catch (error) {
    reportFailure(upstream, error, context)
    const { flow } = arrival.journey
    const toRetry = (fault: unknown) => toRetryable(fault, flow.value.id)
    if (!wasDeclined(error)) throw toRetry(error)
    return denyFlow(flow, context).catch((fault) => Promise.reject(toRetry(fault)))
  }
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
  return context.users.admit(upstream.id, identity)
}

/** The person said no at the provider: that is an answer for the client, not a fault. */
function wasDeclined(error: unknown): boolean {
  return error instanceof OAuthError && error.reason === 'upstream_denied'
}

function reportFailure(upstream: Upstream, error: unknown, context: RequestContext): void {
  const reason = error instanceof OAuthError ? (error.reason ?? error.code) : 'fault'
  context.log.warn('Sign-in at the identity provider failed', {
    upstream: upstream.id,
    reason,
    error,
  })
  context.metrics.count('sign_ins', { outcome: 'refused' })
  context.audit({
    event: 'sign-in.failed',
    outcome: 'refused',
    reason,
    details: { upstream: upstream.id },
  })
}
