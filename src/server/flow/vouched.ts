/**
 * An authorization for which the program around us vouches: it knows the person and has asked them (A9).
 *
 * Everything about the request is checked as at `/authorize`, and the code is made as at the end of any
 * flow. Only the questions to the person are left out.
 */
import type { RequestContext, VouchedAuthorization, VouchedPerson } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { hostUpstream } from '../../identity/users.ts'
import { parseForm } from '../../oauth/params.ts'
import { formatScope, parseScope } from '../../oauth/scope.ts'
import { sha256 } from '../../platform/crypto.ts'
import { type Flow, flows } from '../../storage/records/flow.ts'
import { type AuthorizationRequest, parseAuthorizationRequest } from './begin.ts'
import { finishFlow } from './finish.ts'

/**
 * Issues a code.
 *
 * @throws OAuthError what `/authorize` would answer; `invalid_scope` when nothing asked for is granted
 */
export async function authorizeVouched(
  params: URLSearchParams,
  { scopes, ...identity }: VouchedPerson,
  context: RequestContext,
): Promise<VouchedAuthorization> {
  const asked = await parseAuthorizationRequest(parseForm(params.toString()), context)
  const scope = narrow(asked, scopes)
  const user = await context.users.admit(hostUpstream, identity)
  const flow = toFlow(asked, context)
  const key = flows.key(flow.id)
  const set = [flows.write(key, flow, flow.expiresAt)]
  await context.store.commit({ check: [{ key, version: null }], set })
  const stored = await flows.find(context.store, flow.id)
  if (!stored) throw new OAuthError('server_error', undefined, { reason: 'flow_not_stored' })
  const userId = user.record.value.id
  const approval = { userId, upstream: hostUpstream, scope, remember: false }
  const { headers } = await finishFlow(stored, approval, context)
  const redirectTo = headers.location ?? ''
  return { redirectTo, code: new URL(redirectTo).searchParams.get('code') ?? '', userId }
}

function narrow({ scope }: AuthorizationRequest, granted: readonly string[] | undefined): string {
  if (!granted) return scope
  const kept = parseScope(scope).filter((one) => one === 'offline_access' || granted.includes(one))
  if (kept.some((one) => one !== 'offline_access')) return formatScope(kept)
  throw new OAuthError('invalid_scope', 'None of the scopes asked for is granted', {
    reason: 'nothing_granted',
  })
}

function toFlow(asked: AuthorizationRequest, { random, clock, config }: RequestContext): Flow {
  const { client, redirect, state, codeChallenge, resource, scope, requestedScope } = asked
  return {
    id: random(16),
    // No browser has the cookie to it: this flow has no pages.
    browserHash: sha256(random(32)),
    step: 'confirm',
    clientId: client.id,
    redirectUri: redirect.uri,
    ...(state !== undefined && { state }),
    ...(codeChallenge !== undefined && { codeChallenge }),
    resource,
    scope,
    requestedScope,
    freshSignIn: false,
    expiresAt: clock.now() + config.lifetimes.flowSeconds,
  }
}
