/** What each decision on the consent page does to the flow. */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Params } from '../../oauth/params.ts'
import { formatScope, parseScope } from '../../oauth/scope.ts'
import type { Flow } from '../../storage/records/flow.ts'
import { findCookie, formatCookie } from '../cookies.ts'
import { toSeeOther } from '../respond.ts'
import { finishFlow } from './finish.ts'
import { type Journey, saveProgress, toFlowPath } from './journey.ts'
import { findOnlyUpstream, leaveForUpstream } from './upstream-trip.ts'

/** Allow: on to the next step, or to the client. */
export async function allow(
  journey: Journey,
  params: Params,
  context: RequestContext,
): Promise<Response> {
  const { flow, session, stage } = journey
  const remember = params.get('remember') === 'yes'
  if (stage === 'confirm' && session) {
    const scope = flow.value.approvedScope ?? flow.value.scope
    return finishFlow(flow, { userId: session.user.record.value.id, scope, remember }, context)
  }
  const scope = parseTickedScope(params, flow.value)
  if (context.config.noSignIn) {
    const userId = (await resolveAnyone(context)).record.value.id
    return finishFlow(flow, { userId, scope, remember: false }, context)
  }
  if (stage === 'consent' && session) {
    return finishFlow(flow, { userId: session.user.record.value.id, scope, remember }, context)
  }
  const upstream = findOnlyUpstream(context)
  const progress: Partial<Flow> = { step: 'sign-in', approvedScope: scope }
  if (upstream) return leaveForUpstream(journey, upstream, progress, context)
  await saveProgress(flow, progress, context)
  return toSeeOther(toFlowPath(flow.value.id))
}

/** Use another account: the session ends here, and the person signs in anew. */
export async function switchUser(
  { flow, stage }: Journey,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  const cookie = findCookie(request, 'session', context.config.issuer)
  if (cookie !== undefined) await context.sessions.end(cookie)
  const step = stage === 'confirm' ? 'sign-in' : 'approve'
  await saveProgress(flow, { step, freshSignIn: true }, context)
  context.audit({ event: 'sign-out', outcome: 'ok', requestId: context.exchange.requestId })
  return toSeeOther(toFlowPath(flow.value.id), [
    formatCookie('session', '', context.config.issuer, 0),
  ])
}

/** The scopes left ticked, of those asked for; `offline_access` has no box of its own. */
function parseTickedScope(params: Params, flow: Flow): string {
  const ticked = new Set(params.all('scope'))
  const asked = parseScope(flow.scope)
  const chosen = asked.filter((scope) => ticked.has(scope))
  if (chosen.length === 0) {
    throw new OAuthError('invalid_request', 'Tick at least one permission, or choose Deny', {
      reason: 'no_scope_ticked',
      retryPath: toFlowPath(flow.id),
    })
  }
  return formatScope(asked.filter((scope) => ticked.has(scope) || scope === 'offline_access'))
}

/** The one account that everybody shares when nobody signs in. */
function resolveAnyone(context: RequestContext) {
  return context.users.admit('no-sign-in', { subject: 'anyone', login: 'anyone' })
}
