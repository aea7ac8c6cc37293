/** The owner: by the admin token, `Authorization: Bearer gha_…` (`gatehouse admin-token`), or signed in in a browser. */
import type { RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { equalInConstantTime } from '../platform/crypto.ts'
import { toPeerNetwork } from '../platform/peer-network.ts'
import { installations } from '../storage/records/key.ts'
import { findCookie } from './cookies.ts'

const shape = /^bearer +(gha_[A-Za-z0-9_-]{43})$/i

/** Whether the request carries the admin token. */
export async function hasAdminToken(request: Request, context: RequestContext): Promise<boolean> {
  const token = shape.exec(request.headers.get('authorization') ?? '')?.[1]
  if (token === undefined) return false
  const installation = await installations.find(context.store, 'self')
  const expected = installation?.value.adminTokenHash ?? ''
  if (equalInConstantTime(context.sealer.index('admin-token', token), expected)) return true
  await context.limits.spend('client-auth', `admin ${toPeerNetwork(context.exchange.peer)}`)
  return false
}

/**
 * Refuses whoever does not carry the admin token.
 *
 * @throws OAuthError `invalid_token` (401)
 */
export async function verifyAdmin(request: Request, context: RequestContext): Promise<void> {
  if (await hasAdminToken(request, context)) return
  throw new OAuthError(
    'invalid_token',
    'The admin token is missing or wrong: make one with gatehouse admin-token',
    {
      reason: 'admin_token',
      headers: { 'www-authenticate': 'Bearer realm="admin"' },
    },
  )
}

/** Whether the request is the owner's: it carries the admin token, or the session of a user who is one. */
export async function isOwner(request: Request, context: RequestContext): Promise<boolean> {
  if (await hasAdminToken(request, context)) return true
  const session = await context.sessions.find(findCookie(request, 'session', context.config.issuer))
  return session?.user.record.value.role === 'owner'
}

/**
 * Refuses whoever is not the owner.
 *
 * @throws OAuthError `invalid_token` (401)
 */
export async function verifyOwner(request: Request, context: RequestContext): Promise<void> {
  if (await isOwner(request, context)) return
  throw new OAuthError(
    'invalid_token',
    'This is for the owner: sign in as one, or send the admin token that gatehouse admin-token makes',
    {
      reason: 'not_owner',
      headers: { 'www-authenticate': 'Bearer realm="admin"' },
    },
  )
}
