/**
 * POST /introspect: is this token alive, and what does it say? (RFC 7662)
 *
 * For backends that do not verify JWTs themselves. The caller is a confidential client that the owner
 * registered, or holds the admin token; dynamic clients may ask about their own tokens only. Whatever is
 * not alive, unknown or none of the caller's business is just `{"active":false}`.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import type { Params } from '../../oauth/params.ts'
import { equalInConstantTime } from '../../platform/crypto.ts'
import { clients } from '../../storage/records/client.ts'
import { families } from '../../storage/records/family.ts'
import { endedGrants, grants, recordGrantUse } from '../../storage/records/grant.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { hashRefreshToken, parseRefreshToken } from '../../tokens/refresh-token.ts'
import { hasAdminToken } from '../admin.ts'
import { parseClaimedClient, verifyClient } from '../clients/credentials.ts'
import { readForm, toJson } from '../respond.ts'

/** Whose tokens a caller may ask about: everyone's, or one client's. */
type Sight = { readonly of: 'everyone' } | { readonly of: 'client'; readonly id: string }

/** Describes a token. */
export const introspect: Endpoint = async (request, context) => {
  const params = await readForm(request, context)
  const sight = await resolveSight(request, params, context)
  const token = params.required('token')
  const described = parseRefreshToken(token)
    ? await describeRefreshToken(token, sight, context)
    : await describeAccessToken(token, sight, context)
  return toJson(described ?? { active: false })
}

async function resolveSight(
  request: Request,
  params: Params,
  context: RequestContext,
): Promise<Sight> {
  if (await hasAdminToken(request, context)) return { of: 'everyone' }
  const claimed = parseClaimedClient(request, params)
  const stored = await clients.find(context.store, claimed.id)
  const { value: client } = await verifyClient(claimed, stored, context)
  if (client.secretHash === undefined) {
    throw new OAuthError(
      'invalid_client',
      'Invalid client: introspection needs a client with a secret',
      {
        reason: 'public_client',
      },
    )
  }
  return client.origin === 'preregistered' ? { of: 'everyone' } : { of: 'client', id: client.id }
}

function canSee(sight: Sight, clientId: string): boolean {
  return sight.of === 'everyone' || sight.id === clientId
}

/** What a live access token says. Whether it was revoked is asked of the store itself (RV-04). */
async function describeAccessToken(token: string, sight: Sight, context: RequestContext) {
  const claims = await findClaims(token, context)
  if (!claims || !canSee(sight, claims.client_id)) return undefined
  const [grant, ended] = await context.store.get([
    grants.key(claims.gid),
    endedGrants.key(claims.jti),
  ])
  if (!grant || ended) return undefined
  await recordUse(claims, context)
  const { gid: _, ...shown } = claims
  return { active: true, token_type: 'Bearer', ...shown }
}

async function findClaims(
  token: string,
  { accessTokens }: RequestContext,
): Promise<AccessTokenClaims | undefined> {
  try {
    return await accessTokens.verify(token)
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_token') return undefined
    throw error
  }
}

/** A backend that introspects a token is about to honour it: that is use, as at our own gate (P3). */
async function recordUse({ gid, iat }: AccessTokenClaims, context: RequestContext): Promise<void> {
  const expiresAt = context.clock.now() + context.config.refresh.lostResponseSeconds
  const recorded = await recordGrantUse(context.store, gid, { issuedAt: iat }, expiresAt)
  if (!recorded) throw unavailable('grant_use_contention')
}

/** What the current refresh token of a grant stands for. */
async function describeRefreshToken(token: string, sight: Sight, context: RequestContext) {
  const parsed = parseRefreshToken(token)
  if (!parsed) return undefined
  const [familyEntry, grantEntry] = await context.store.get([
    families.key(parsed.grantId),
    grants.key(parsed.grantId),
  ])
  const family = families.decode(familyEntry)?.value
  const grant = grants.decode(grantEntry)?.value
  if (!family || !grant || !canSee(sight, grant.clientId)) return undefined
  if (!equalInConstantTime(hashRefreshToken(token), family.currentHash)) return undefined
  return {
    active: true,
    token_type: 'refresh_token',
    iss: context.config.issuer,
    sub: grant.userId,
    aud: grant.resource,
    client_id: grant.clientId,
    scope: grant.scope,
    iat: family.rotatedAt,
    exp: family.idleExpiresAt,
  }
}
