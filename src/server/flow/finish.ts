/**
 * The end of a flow: a code for the client, or its refusal.
 *
 * One commit deletes the flow and stores the code, so a journey ends once. Client and redirect URI are
 * read and checked again here, not believed from the beginning (catalogue AZ-03, CN-16).
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { winRace } from '../../identity/races.ts'
import {
  redirectHost,
  redirectKind,
  type TrustedRedirect,
  toRedirectLocation,
  trustRedirect,
} from '../../oauth/redirect-uri.ts'
import { sha256 } from '../../platform/crypto.ts'
import type { Answer } from '../../platform/exchange.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import { type AuthorizationCode, codeMemorySeconds, codes } from '../../storage/records/code.ts'
import { type Flow, flows } from '../../storage/records/flow.ts'
import type { Stored } from '../../storage/records/record.ts'
import type { Commit, Write } from '../../storage/store.ts'
import { hashCode, mintCode } from '../../tokens/authorization-code.ts'
import { toLastingTwin } from '../clients/register.ts'
import { formatCookie } from '../cookies.ts'
import { toSeeOther } from '../respond.ts'
import { resolveClient, toRedirectingClient } from './begin.ts'
import { toRememberedConsent } from './remembered.ts'

/** What the person decided. */
export interface Approval {
  readonly userId: string
  /** How they signed in. */
  readonly upstream: string
  /** Scopes granted: those asked for, less what was unticked. */
  readonly scope: string
  readonly remember: boolean
}

/** Sends the browser back to the client with a code. */
export async function finishFlow(
  flow: Stored<Flow>,
  approval: Approval,
  context: RequestContext,
): Promise<Answer> {
  const { code, redirect } = await winRace(() => tryFinish(flow, approval, context))
  reportFinish(flow.value, approval, context)
  const location = toRedirectLocation(redirect, {
    code,
    state: flow.value.state,
    iss: context.config.issuer,
  })
  return toSeeOther(location, [toGoneCookie(flow.value, context)])
}

/** Undefined when this client was authorized for the first time elsewhere in the same moment. */
async function tryFinish(flow: Stored<Flow>, approval: Approval, context: RequestContext) {
  const { client, redirect } = await resolveReturn(flow.value, context)
  const code = mintCode(context.random)
  const done = await context.store.commit(toFinish(flow, client, { code, approval }, context))
  if (done) return { code, redirect }
  const present = await flows.find(context.store, flow.value.id)
  if (present?.version !== flow.version) throw refuseSecondAnswer()
  return undefined
}

/** Sends the browser back to the client with `access_denied` (RFC 6749 §4.1.2.1, RFC 9207). */
export async function denyFlow(flow: Stored<Flow>, context: RequestContext): Promise<Answer> {
  const { redirect } = await resolveReturn(flow.value, context)
  const { key, version } = flow
  const done = await context.store.commit({ check: [{ key, version }], delete: [key] })
  if (!done) throw refuseSecondAnswer()
  context.metrics.count('authorizations', { outcome: 'denied' })
  context.audit({ event: 'consent.denied', outcome: 'refused', clientId: flow.value.clientId })
  const location = toDenialLocation(
    redirect,
    'The person declined the request',
    flow.value,
    context,
  )
  return toSeeOther(location, [toGoneCookie(flow.value, context)])
}

/** A way back to the client, and the host that it leads to. */
export interface WayBack {
  readonly href: string
  readonly host: string
}

/** The way back to the client with `access_denied`, for a person who was refused and may still try again. */
export async function findWayBack(flow: Flow, context: RequestContext): Promise<WayBack> {
  const { redirect } = await resolveReturn(flow, context)
  const href = toDenialLocation(redirect, 'The person may not sign in here', flow, context)
  return { href, host: redirectHost(redirect.uri) }
}

function toDenialLocation(
  redirect: TrustedRedirect,
  description: string,
  { state }: Flow,
  { config }: RequestContext,
): string {
  return toRedirectLocation(redirect, {
    error: 'access_denied',
    error_description: description,
    state,
    iss: config.issuer,
  })
}

/** Where the answer goes: client and redirect URI as they are now, not as they were at the beginning. */
async function resolveReturn(flow: Flow, context: RequestContext) {
  const client = await resolveClient(flow.clientId, context)
  return {
    client,
    redirect: trustRedirect(flow.redirectUri, toRedirectingClient(client.value), flow.state),
  }
}

function refuseSecondAnswer(): OAuthError {
  return new OAuthError('invalid_request', 'This request to connect was already answered', {
    reason: 'flow_unknown',
  })
}

function toGoneCookie({ id }: Flow, { config }: RequestContext): string {
  return formatCookie(`flow-${id}`, '', config, 0)
}

/** The commit that ends the flow: it is gone, the code is there, the client has been authorized. */
function toFinish(
  flow: Stored<Flow>,
  client: Stored<Client>,
  { code, approval }: { code: string; approval: Approval },
  context: RequestContext,
): Commit {
  const now = context.clock.now()
  const record = toCodeRecord(flow.value, approval, context)
  const set: Write[] = [
    codes.write(codes.key(hashCode(code)), record, record.expiresAt + codeMemorySeconds),
  ]
  const check = [{ key: flow.key, version: flow.version }]
  if (client.value.authorizedAt === undefined) {
    // Once authorized, the client is kept for ever: this write has no expiry.
    set.push(clients.write(client.key, { ...client.value, authorizedAt: now }))
    check.push({ key: client.key, version: client.version })
    const { secretHash, origin } = client.value
    const isShared = secretHash === undefined && origin !== 'document'
    if (context.config.reuseRegistrations && isShared) set.push(toLastingTwin(client.value))
  }
  if (approval.remember && redirectKind(flow.value.redirectUri) === 'https') {
    set.push(toRememberedConsent(flow.value, client.value, approval, context))
  }
  return { check, set, delete: [flow.key] }
}

function toCodeRecord(
  flow: Flow,
  { userId, upstream, scope }: Approval,
  context: RequestContext,
): AuthorizationCode {
  return {
    clientId: flow.clientId,
    userId,
    upstream,
    redirectUri: flow.redirectUri,
    ...(flow.codeChallenge !== undefined && { codeChallenge: flow.codeChallenge }),
    resource: flow.resource,
    scope,
    requestedScope: flow.requestedScope,
    expiresAt: context.clock.now() + context.config.lifetimes.codeSeconds,
    grantId: context.random(16),
    failures: 0,
  }
}

function reportFinish(flow: Flow, { userId, scope }: Approval, context: RequestContext): void {
  const common = {
    outcome: 'ok' as const,
    clientId: flow.clientId,
    userId,
  }
  context.log.info(`Generated authorization code for client: ${flow.clientId}`)
  context.audit({
    event: 'consent.allowed',
    ...common,
    details: { scope, flow: sha256(flow.id).slice(0, 12) },
  })
  context.audit({ event: 'code.issued', ...common, details: { resource: flow.resource } })
  context.metrics.count('authorizations', { outcome: 'allowed' })
}
