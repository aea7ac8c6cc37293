/** The person is known: by password or by an identity provider. */
import type { RequestContext } from '../../context.ts'
import type { Answer } from '../../platform/exchange.ts'
import type { User } from '../../storage/records/user.ts'
import { findCookie, formatCookie } from '../cookies.ts'
import { toSeeOther } from '../respond.ts'
import { type Journey, saveProgress, toFlowPath } from './journey.ts'
import { findApplication } from './ways.ts'

/**
 * Opens a session for the person, in place of the one before, and lets the journey go on to the confirmation.
 *
 * @throws OAuthError `access_denied` (a page) when the user was removed or got another password meanwhile
 */
export async function arriveSignedIn(
  { request, flow }: Journey,
  { id: userId, sealedPassword }: User,
  upstream: string,
  context: RequestContext,
): Promise<Answer> {
  await saveProgress(flow, { step: 'confirm', userId }, context)
  const before = findCookie(request, 'session', context.config.issuer)
  if (before !== undefined) await context.sessions.end(before)
  const applicationId = findApplication({ id: upstream }, flow.value, context)
  const proof = { sealedPassword, upstream, applicationId }
  const cookie = await context.sessions.open(userId, proof)
  context.metrics.count('sign_ins', { outcome: 'ok' })
  context.audit({ event: 'sign-in.succeeded', outcome: 'ok', userId, details: { upstream } })
  const { sessionSeconds } = context.config.lifetimes
  return toSeeOther(toFlowPath(flow.value.id, context), [
    formatCookie('session', cookie, context.config, sessionSeconds),
  ])
}
