/** What each decision on the consent page does to the flow. */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { sharedUpstream } from '../../identity/users.ts'
import type { Params } from '../../oauth/params.ts'
import { formatScope, parseScope } from '../../oauth/scope.ts'
import type { Answer } from '../../platform/exchange.ts'
import type { Flow } from '../../storage/records/flow.ts'
import { findCookie, formatCookie } from '../cookies.ts'
import { toSeeOther } from '../respond.ts'
import { type Approval, finishFlow } from './finish.ts'
import { type Journey, saveProgress, toFlowPath } from './journey.ts'
import { leaveForUpstream } from './upstream-trip.ts'
import { findOnlyUpstream } from './ways.ts'

/** Allow: on to the sign-in, or back to the client with a code. */
export async function allow(
  journey: Journey,
  params: Params,
  context: RequestContext,
): Promise<Answer> {
  const { flow, session, stage } = journey
  const confirmed = stage === 'confirm' ? flow.value.approvedScope : undefined
  const scope = confirmed ?? parseTickedScope(params, flow.value, context)
  const approver = await findApprover(journey, context)
  if (!approver) return goToSignIn(journey, scope, context)
  const remember = session !== undefined && params.get('remember') === 'yes'
  return finishFlow(flow, { ...approver, scope, remember }, context)
}

/** Whose approval it is; undefined while nobody has signed in. Without sign-in, everybody shares one account. */
async function findApprover(
  { session, stage }: Journey,
  { config, users }: RequestContext,
): Promise<Pick<Approval, 'userId' | 'upstream'> | undefined> {
  if (config.noSignIn) {
    const anyone = await users.admit(sharedUpstream, { subject: 'anyone', login: 'anyone' })
    return { userId: anyone.record.value.id, upstream: sharedUpstream }
  }
  if (!session || (stage !== 'consent' && stage !== 'confirm')) return undefined
  return { userId: session.user.record.value.id, upstream: session.upstream }
}

async function goToSignIn(
  journey: Journey,
  approvedScope: string,
  context: RequestContext,
): Promise<Answer> {
  const progress: Partial<Flow> = { step: 'sign-in', approvedScope }
  const upstream = findOnlyUpstream(journey.flow.value, context)
  if (upstream) return leaveForUpstream(journey, upstream, progress, context)
  await saveProgress(journey.flow, progress, context)
  return toSeeOther(toFlowPath(journey.flow.value.id, context))
}

/** Use another account: the session ends here, and the person signs in anew. */
export async function switchUser(
  { request, flow, session, stage }: Journey,
  context: RequestContext,
): Promise<Answer> {
  const cookie = findCookie(request, 'session', context.config.issuer)
  if (cookie !== undefined) await context.sessions.end(cookie)
  const step = stage === 'confirm' ? 'sign-in' : 'approve'
  await saveProgress(flow, { step, freshSignIn: true }, context)
  context.audit({ event: 'sign-out', outcome: 'ok', userId: session?.user.record.value.id })
  return toSeeOther(toFlowPath(flow.value.id, context), [
    formatCookie('session', '', context.config, 0),
  ])
}

/** The scopes left ticked, of those asked for; `offline_access` has no box of its own. */
function parseTickedScope(params: Params, flow: Flow, context: RequestContext): string {
  const ticked = new Set(params.all('scope'))
  const asked = parseScope(flow.scope)
  const chosen = asked.filter((scope) => ticked.has(scope))
  if (chosen.length === 0) {
    throw new OAuthError('invalid_request', 'Tick at least one permission, or choose Deny', {
      reason: 'no_scope_ticked',
      retryPath: toFlowPath(flow.id, context),
    })
  }
  return formatScope(asked.filter((scope) => ticked.has(scope) || scope === 'offline_access'))
}
