/**
 * GET /sign-in: who are you? E-mail and password, identity providers, or both.
 * POST /sign-in: an attempt, or the choice of a provider.
 *
 * Only ever a step of a flow that its person has approved.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { parseEmail } from '../../identity/email.ts'
import { localUpstream } from '../../identity/users.ts'
import type { Params } from '../../oauth/params.ts'
import type { Answer } from '../../platform/exchange.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { arriveSignedIn } from '../flow/arrive.ts'
import { resolveClient } from '../flow/begin.ts'
import { verifyFormToken, verifySameOrigin } from '../flow/browser.ts'
import { toClientView, toFlowForm, toRedirectView } from '../flow/consent-view.ts'
import { denyFlow } from '../flow/finish.ts'
import { type Journey, resolveJourney, toFlowPath, toFormBinding } from '../flow/journey.ts'
import { leaveForUpstream } from '../flow/upstream-trip.ts'
import { findWays } from '../flow/ways.ts'
import { toClientLabel } from '../pages/client-label.ts'
import { renderSignInPage } from '../pages/sign-in.ts'
import { readForm, readQuery, toSeeOther } from '../respond.ts'

/** The words for a wrong e-mail and a wrong password alike. */
const wrongCredentials = 'The e-mail or the password is wrong'

/** Shows the sign-in page. */
export const showSignIn: Endpoint = async (request, context) => {
  const journey = await resolveJourney(request, readQuery(request).get('flow'), context)
  if (journey.stage !== 'sign-in') return toSeeOther(toFlowPath(journey.flow.value.id, context))
  return showPage(journey, {}, context)
}

/** Takes an attempt to sign in. */
export const signIn: Endpoint = async (request, context) => {
  verifySameOrigin(request, context)
  const params = await readForm(request, context)
  const journey = await resolveJourney(request, params.get('flow'), context)
  // Nothing to do here any more, for example since another tab signed in: the dispatcher knows what is next.
  if (journey.stage !== 'sign-in') return toSeeOther(toFlowPath(journey.flow.value.id, context))
  verifyFormToken(params.get('csrf'), journey.browser, toFormBinding(journey, context), context)
  if (params.get('decision') === 'deny') return denyFlow(journey.flow, context)

  const upstreamId = params.get('upstream')
  const ways = findWays(journey.flow.value, context)
  if (upstreamId === undefined) {
    if (!ways.local) throw new OAuthError('invalid_request', 'Choose an identity provider')
    return signInLocally(journey, params, context)
  }
  const upstream = ways.upstreams.find(({ id }) => id === upstreamId)
  if (upstream) return leaveForUpstream(journey, upstream, {}, context)
  throw new OAuthError('invalid_request', 'There is no such identity provider')
}

async function signInLocally(
  journey: Journey,
  params: Params,
  context: RequestContext,
): Promise<Answer> {
  const email = params.get('email') ?? ''
  // All spellings of one address are one account, here as where the account is looked up (UP-09).
  const account = context.sealer.index('sign-in-limit', parseEmail(email) ?? email)
  await context.limits.check('sign-in', account)
  // Spent right before the password is looked at: guesses sent all at once are counted as well, and those
  // that a crowd kept from being looked at are not (DS-06).
  const user = await context.users.verifyPassword(email, params.get('password') ?? '', {
    network: toPeerNetwork(context.exchange.peer),
    onTurn: () => context.limits.spend('sign-in', account),
  })
  if (user) {
    await context.limits.reset('sign-in', account)
    return arriveSignedIn(journey, user.record.value, localUpstream, context)
  }
  context.metrics.count('sign_ins', { outcome: 'refused' })
  context.audit({ event: 'sign-in.failed', outcome: 'refused', reason: 'wrong_credentials' })
  return showPage(journey, { error: wrongCredentials, login: email }, context)
}

async function showPage(
  journey: Journey,
  attempt: { error?: string; login?: string },
  context: RequestContext,
): Promise<Answer> {
  const { clientId, redirectUri } = journey.flow.value
  const { local, upstreams } = findWays(journey.flow.value, context)
  const { value: client } = await resolveClient(clientId, context)
  const view = {
    siteName: context.config.siteName,
    clientName: toClientLabel(toClientView(client, redirectUri), toRedirectView(redirectUri)),
    local,
    upstreams: upstreams.map(({ id, label }) => ({ id, label })),
    ...attempt,
    form: toFlowForm(journey, context.config.paths.signIn, context),
  }
  return renderSignInPage(view, attempt.error === undefined ? 200 : 400)
}
