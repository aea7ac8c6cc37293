/**
 * GET /consent: the dispatcher of the browser's journey; shows whatever its person has to do next.
 * POST /consent: their decision.
 *
 * See `flow/journey.ts` for the states.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { clients } from '../../storage/records/client.ts'
import { verifyFormToken, verifySameOrigin } from '../flow/browser.ts'
import { toConsentView } from '../flow/consent-view.ts'
import { allow, switchUser } from '../flow/decide.ts'
import { denyFlow } from '../flow/finish.ts'
import { type Journey, resolveJourney } from '../flow/journey.ts'
import { renderConsentPage } from '../pages/consent.ts'
import { endpointPaths } from '../paths.ts'
import { readForm, toSeeOther } from '../respond.ts'

/** Shows the next step. */
export const showConsent: Endpoint = async (request, context) => {
  const flowId = new URL(request.url).searchParams.get('flow') ?? undefined
  const journey = await resolveJourney(request, flowId, context)
  if (journey.stage === 'sign-in') return toSeeOther(`${endpointPaths.signIn}?flow=${flowId}`)
  return showPage(journey, context)
}

/** Takes the decision: `allow`, `deny` or `switch`. */
export const decideConsent: Endpoint = async (request, context) => {
  verifySameOrigin(request, context)
  const params = await readForm(request, context)
  const journey = await resolveJourney(request, params.get('flow'), context)
  const { flow, browser, session, stage } = journey
  const binding = { subject: flow.value.id, step: stage, session: session?.hash ?? '' }
  verifyFormToken(params.get('csrf'), browser, binding, context)

  const decision = params.required('decision')
  if (decision === 'deny') return denyFlow(flow, context)
  if (decision === 'switch') return switchUser(journey, request, context)
  if (decision === 'allow') return allow(journey, params, context)
  throw new OAuthError('invalid_request', 'Decision must be allow, deny or switch')
}

async function showPage(journey: Journey, context: RequestContext): Promise<Response> {
  const { clientId } = journey.flow.value
  const client = await clients.find(context.store, clientId)
  if (client) return renderConsentPage(toConsentView(journey, client.value, context))
  throw new OAuthError('invalid_client', `Client Not Registered: Unregistered client_id=${clientId}`, {
    status: 400,
    reason: 'unknown_client',
  })
}
