/**
 * GET /consent: the dispatcher of the browser's journey; shows whatever its person has to do next.
 * POST /consent: their decision.
 *
 * See `flow/journey.ts` for the states.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Params } from '../../oauth/params.ts'
import type { Answer } from '../../platform/exchange.ts'
import { resolveClient } from '../flow/begin.ts'
import { isFormToken, verifyFormToken, verifySameOrigin } from '../flow/browser.ts'
import { toConsentView } from '../flow/consent-view.ts'
import { allow, switchUser } from '../flow/decide.ts'
import { findEarlierScopes } from '../flow/earlier-scopes.ts'
import { denyFlow } from '../flow/finish.ts'
import { type Journey, resolveJourney, toFlowPath, toFormBinding } from '../flow/journey.ts'
import { renderConsentPage } from '../pages/consent.ts'
import { readForm, readQuery, toSeeOther } from '../respond.ts'

/** Shows the next step. */
export const showConsent: Endpoint = async (request, context) => {
  const journey = await resolveJourney(request, readQuery(request).get('flow'), context)
  if (journey.stage === 'sign-in') return goToSignIn(journey, context)
  return showPage(journey, context)
}

/** Takes the decision: `allow`, `deny` or `switch`. */
export const decideConsent: Endpoint = async (request, context) => {
  verifySameOrigin(request, context)
  const params = await readForm(request, context)
  const present = await resolveJourney(request, params.get('flow'), context)
  if (present.stage === 'sign-in') return goToSignIn(present, context)
  if (wasTaken(present, params, context))
    return toSeeOther(toFlowPath(present.flow.value.id, context))
  const journey = resolveShown(present, params.get('csrf'), context)

  const decision = params.required('decision')
  if (decision === 'deny') return denyFlow(journey.flow, context)
  if (decision === 'switch') return switchUser(journey, context)
  if (decision === 'allow') return allow(journey, params, context)
  throw new OAuthError('invalid_request', 'Decision must be allow, deny or switch')
}

/** Whether this step was taken already, but its answer got lost: the person sees what is next. */
function wasTaken(present: Journey, params: Params, context: RequestContext): boolean {
  if (present.stage === 'approve') return params.get('decision') === 'switch'
  if (present.stage !== 'confirm') return false
  const approval = toFormBinding({ ...present, stage: 'approve' }, context)
  return isFormToken(params.get('csrf'), present.browser, approval, context)
}

/**
 * The journey as it was when its page was shown.
 *
 * Whoever signed in in another tab meanwhile has not seen their account on this page: the answer counts as
 * one from before the sign-in, and is asked to be confirmed (catalogue CN-08).
 *
 * @throws OAuthError `access_denied` (403) when the form is not from a page of this journey
 */
function resolveShown(
  present: Journey,
  token: string | undefined,
  context: RequestContext,
): Journey {
  const before: Journey = { ...present, session: undefined, stage: 'approve' }
  const shown = (present.stage === 'consent' ? [present, before] : [present]).find((journey) =>
    isFormToken(token, journey.browser, toFormBinding(journey, context), context),
  )
  if (shown) return shown
  verifyFormToken(token, present.browser, toFormBinding(present, context), context)
  return present
}

function goToSignIn({ flow }: Journey, { config }: RequestContext): Answer {
  return toSeeOther(`${config.paths.signIn}?flow=${flow.value.id}`)
}

async function showPage(journey: Journey, context: RequestContext): Promise<Answer> {
  const client = await resolveClient(journey.flow.value.clientId, context)
  const earlier = await findEarlierScopes(journey, context)
  return renderConsentPage(toConsentView(journey, client.value, context, earlier))
}
