/**
 * The round trip to an identity provider (catalogue §7).
 *
 * `state`, PKCE verifier, nonce and the trip's own cookie are made only now, after the person approved
 * (CN-03), and work once, in this browser, for this provider: a callback that was opened anywhere else
 * is refused before its code is exchanged (CN-02, UP-01, UP-03).
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Upstream, UpstreamFlow } from '../../identity/upstream.ts'
import { equalInConstantTime, sha256 } from '../../platform/crypto.ts'
import type { Answer } from '../../platform/exchange.ts'
import { type Flow, flows, upstreamStates } from '../../storage/records/flow.ts'
import { findCookie, formatCookie } from '../cookies.ts'
import { toCallbackPath } from '../paths.ts'
import { toSeeOther } from '../respond.ts'
import { type Journey, refuseMoved, resolveJourney, toFlowPath } from './journey.ts'
import { findApplication } from './ways.ts'

/** Purpose of the sealed verifier and nonce. */
export const sealPurpose = 'upstream-trip'

/** Our callback at a provider, as it must be registered there. */
export function toCallbackUri(
  upstream: Pick<Upstream, 'id' | 'callbackPath'>,
  { config }: Pick<RequestContext, 'config'>,
): string {
  return config.issuer + toCallbackPath(upstream, config.paths)
}

/**
 * The provider whose callback this address is: each has its own, so that the answer of one is never taken
 * for another's (catalogue UP-03).
 */
export function findUpstreamAt(
  path: string,
  { upstreams, config }: Pick<RequestContext, 'upstreams' | 'config'>,
): Upstream | undefined {
  return [...upstreams.values()].find((upstream) => toCallbackPath(upstream, config.paths) === path)
}

/** Commits progress together with a new trip and sends the browser to the provider. */
export async function leaveForUpstream(
  { request, flow }: Journey,
  upstream: Upstream,
  progress: Partial<Flow>,
  context: RequestContext,
): Promise<Answer> {
  const { random, clock, config } = context
  const state = random(32)
  // Tabs share the cookie, so that one leaving does not strand the other; each trip keeps its own hash of it.
  const cookie = findCookie(request, 'trip', config.issuer) ?? random(32)
  const secrets = { nonce: random(32), codeVerifier: random(32) }
  const trip = {
    id: upstream.id,
    stateHash: sha256(state),
    cookieHash: sha256(cookie),
    sealedSecrets: context.sealer.seal(sealPurpose, flow.value.id, JSON.stringify(secrets)),
  }
  const redirectUri = toCallbackUri(upstream, context)
  const location = await upstream
    .start(
      {
        redirectUri,
        state,
        ...secrets,
        application: findApplication(upstream, flow.value, context),
      },
      { fresh: flow.value.freshSignIn },
    )
    .catch((error: unknown) => Promise.reject(toRetryable(error, flow.value.id, context)))
  const next: Flow = { ...flow.value, ...progress, upstream: trip }
  const stateKey = upstreamStates.key(trip.stateHash)
  const saved = await context.store.commit({
    check: [{ key: flow.key, version: flow.version }],
    set: [
      flows.write(flow.key, next, next.expiresAt),
      upstreamStates.write(stateKey, { flowId: flow.value.id }, next.expiresAt),
    ],
  })
  if (!saved) throw refuseMoved(flow.value, context)
  const maxAge = Math.max(1, next.expiresAt - clock.now())
  return toSeeOther(location.href, [formatCookie('trip', cookie, config, maxAge)])
}

/** A callback that belongs to this browser, its trip consumed. */
export interface Arrival {
  readonly journey: Journey
  readonly upstreamFlow: UpstreamFlow
}

/**
 * Takes the trip that a callback completes. Once: the state is gone afterwards, whatever follows.
 *
 * @throws OAuthError `invalid_request` (a page) when state, browser, cookie or provider do not fit
 */
export async function takeTrip(
  request: Request,
  upstream: Upstream,
  context: RequestContext,
): Promise<Arrival> {
  const state = new URL(request.url).searchParams.get('state') ?? ''
  const stateHash = sha256(state)
  const pointer = await upstreamStates.find(context.store, stateHash)
  if (!pointer) throw refuse('state_unknown', 'This sign-in was already used or has expired')
  const journey = await resolveJourney(request, pointer.value.flowId, context)

  const trip = journey.flow.value.upstream
  const cookie = findCookie(request, 'trip', context.config.issuer) ?? ''
  const fits =
    trip !== undefined &&
    trip.id === upstream.id &&
    equalInConstantTime(trip.stateHash, stateHash) &&
    equalInConstantTime(trip.cookieHash, sha256(cookie))
  if (!fits) throw refuse('other_browser', 'This sign-in was started elsewhere')

  try {
    const flow = await consume(journey, pointer.key, context)
    const secrets = context.sealer.open(sealPurpose, flow.value.id, trip.sealedSecrets)
    const { nonce, codeVerifier } = JSON.parse(secrets) as { nonce: string; codeVerifier: string }
    const redirectUri = toCallbackUri(upstream, context)
    const application = findApplication(upstream, flow.value, context)
    return {
      journey: { ...journey, flow },
      upstreamFlow: { redirectUri, state, nonce, codeVerifier, application },
    }
  } catch (error) {
    // The state may be gone by now, so that loading the page again does not help: another trip does.
    throw toRetryable(error, journey.flow.value.id, context)
  }
}

/** The flow without its trip, and its new version. */
async function consume({ flow }: Journey, stateKey: string, context: RequestContext) {
  const { upstream: _, ...rest } = flow.value
  const taken = await context.store.commit({
    check: [{ key: flow.key, version: flow.version }],
    set: [flows.write(flow.key, rest, rest.expiresAt)],
    delete: [stateKey],
  })
  const stored = taken ? await flows.find(context.store, rest.id) : undefined
  if (stored) return stored
  throw refuse('state_unknown', 'This sign-in was already used or has expired')
}

/** Adds to an upstream failure where the person can try again. */
export function toRetryable(
  error: unknown,
  flowId: string,
  context: Pick<RequestContext, 'config'>,
): unknown {
  if (!(error instanceof OAuthError)) return error
  return new OAuthError(error.code, error.description, {
    reason: error.reason ?? 'upstream_failed',
    cause: error.cause ?? error,
    status: error.status,
    ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
    retryPath: toFlowPath(flowId, context),
  })
}

function refuse(reason: string, description: string): OAuthError {
  return new OAuthError('invalid_request', description, { reason })
}
