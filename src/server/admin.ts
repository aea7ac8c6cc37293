/** The owner's admin token: `Authorization: Bearer gha_…`, made by `gatehouse admin-token`. */
import type { RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { equalInConstantTime } from '../platform/crypto.ts'
import { toPeerNetwork } from '../platform/peer-network.ts'
import { installations } from '../storage/records/key.ts'

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
