/**
 * GET|POST /authorize: a client asks for authorization (OAuth 2.1 §4.1.1).
 *
 * Checks the request (`flow/begin.ts`), stores it as a flow bound to this browser and answers with the
 * flow's first page (decision 16). Asking again begins another flow and burns nothing, so link previews and
 * clients that fetch the address first do no harm (catalogue AZ-23).
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import type { LiveSession } from '../../identity/sessions.ts'
import type { Answer } from '../../platform/exchange.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { type Flow, flows } from '../../storage/records/flow.ts'
import type { Stored } from '../../storage/records/record.ts'
import { findCookie } from '../cookies.ts'
import { type AuthorizationRequest, parseAuthorizationRequest } from '../flow/begin.ts'
import { type BoundBrowser, type Browser, bindBrowser, dropOldestFlows } from '../flow/browser.ts'
import { toConsentView } from '../flow/consent-view.ts'
import { findEarlierScopes } from '../flow/earlier-scopes.ts'
import { finishFlow } from '../flow/finish.ts'
import { resolveStage, toFlowPath } from '../flow/journey.ts'
import { isRemembered } from '../flow/remembered.ts'
import { keepCounting } from '../flow/ways.ts'
import { renderConsentPage } from '../pages/consent.ts'
import { readForm, readQuery, toSeeOther } from '../respond.ts'

/** Begins a flow. HEAD only says whether the request is in order. */
export const authorize: Endpoint = async (request, context) => {
  const cookie = findCookie(request, 'session', context.config.issuer)
  const [asked, present] = await Promise.all([
    readRequest(request, context),
    context.sessions.find(cookie),
  ])
  if (request.method === 'HEAD') return { status: 200, headers: { 'cache-control': 'no-store' } }
  const peer = toPeerNetwork(context.exchange.peer)
  await context.limits.spend('authorize', `${asked.client.id} ${peer}`)

  const id = context.random(16)
  const browser = bindBrowser(`flow-${id}`, context, context.config.lifetimes.flowSeconds)
  const { applicationId } = asked.client
  const session = keepCounting(present, { resource: asked.resource, applicationId }, context)
  const flow = toFlow(id, asked, browser, context)
  const skipsPage = await maySkipPage({ request, flow, asked, session }, context)
  if (!skipsPage && asked.prompt.includes('none')) throw refuseSilence(asked, session)

  await storeFlow(flow, context)
  context.audit({
    event: 'authorize.started',
    outcome: 'ok',
    clientId: asked.client.id,
    details: { redirect_uri: flow.redirectUri, scope: flow.scope, resource: flow.resource },
  })
  if (skipsPage && session) {
    const stored = await readFlow(flow.id, context)
    const approval = {
      userId: session.user.record.value.id,
      upstream: session.upstream,
      scope: flow.scope,
      remember: false,
    }
    return finishFlow(stored, approval, context)
  }
  return showFlow({ request, flow, asked, session }, browser, context)
}

/**
 * The flow's first page. Whoever posted the request is sent to it, so that loading it again posts nothing
 * (catalogue P8).
 */
async function showFlow(
  { request, flow, asked, session }: Begun,
  browser: BoundBrowser,
  context: RequestContext,
): Promise<Answer> {
  const cookies = [browser.cookie, ...dropOldestFlows(request, context)]
  if (request.method === 'POST') return toSeeOther(toFlowPath(flow.id, context), cookies)
  const stage = resolveStage(flow, session)
  const shown = { flow: { value: flow }, browser, session, stage }
  const earlier = await findEarlierScopes(shown, context)
  return { ...renderConsentPage(toConsentView(shown, asked.client, context, earlier)), cookies }
}

/** The request's parameters, checked; a refusal is noted for the owner. */
async function readRequest(
  request: Request,
  context: RequestContext,
): Promise<AuthorizationRequest> {
  try {
    const params = request.method === 'POST' ? await readForm(request, context) : readQuery(request)
    return await parseAuthorizationRequest(params, context)
  } catch (error) {
    if (error instanceof OAuthError && error.status < 500) {
      context.audit({
        event: 'authorize.refused',
        outcome: 'refused',
        reason: error.reason ?? error.code,
        details: { error: error.code, description: error.description },
      })
    }
    throw error
  }
}

function toFlow(
  id: string,
  asked: AuthorizationRequest,
  browser: Browser,
  context: RequestContext,
): Flow {
  const { state, codeChallenge } = asked
  const { applicationId } = asked.client
  return {
    id,
    browserHash: browser.hash,
    step: 'approve',
    clientId: asked.client.id,
    ...(applicationId !== undefined && { applicationId }),
    redirectUri: asked.redirect.uri,
    ...(state !== undefined && { state }),
    ...(codeChallenge !== undefined && { codeChallenge }),
    resource: asked.resource,
    scope: asked.scope,
    requestedScope: asked.requestedScope,
    freshSignIn: asked.prompt.includes('login') || asked.prompt.includes('select_account'),
    expiresAt: context.clock.now() + context.config.lifetimes.flowSeconds,
  }
}

async function storeFlow(flow: Flow, context: RequestContext): Promise<void> {
  const key = flows.key(flow.id)
  const stored = await context.store.commit({
    check: [{ key, version: null }],
    set: [flows.write(key, flow, flow.expiresAt)],
  })
  if (!stored) throw unavailable('flow_id_taken')
}

/** The flow just stored, with the version that ends it. */
async function readFlow(id: string, context: RequestContext): Promise<Stored<Flow>> {
  const stored = await flows.find(context.store, id)
  if (stored) return stored
  throw new OAuthError('server_error', undefined, { reason: 'flow_not_stored' })
}

/** A flow that begins, the request it begins with, and who is signed in. */
interface Begun {
  readonly request: Request
  readonly flow: Flow
  readonly asked: AuthorizationRequest
  readonly session: LiveSession | undefined
}

/** Whether a remembered choice answers, unless the client wants the person asked. */
async function maySkipPage(
  { request, flow, asked, session }: Begun,
  context: RequestContext,
): Promise<boolean> {
  const mustAsk = flow.freshSignIn || asked.prompt.includes('consent')
  if (!session || mustAsk) return false
  return isRemembered(request, flow, { client: asked.client, session }, context)
}

/** The answer to `prompt=none` when a page would be needed (catalogue AZ-05). */
function refuseSilence(asked: AuthorizationRequest, session: LiveSession | undefined): OAuthError {
  const { redirect } = asked
  if (!session) return new OAuthError('login_required', 'The person must sign in', { redirect })
  return new OAuthError('interaction_required', 'The person must be asked', { redirect })
}
