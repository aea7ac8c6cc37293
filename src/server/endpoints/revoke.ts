/**
 * POST /revoke: a client gives up a token (RFC 7009).
 *
 * Giving up a refresh token, current or old, ends its grant with everything in it; giving up an access
 * token ends that token only, so that a client tidying up after a refresh does not sign itself out.
 * The answer is 200 whatever the token was (RV-01, RV-02), but never when the store failed (RV-03).
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import { endedGrants, grants } from '../../storage/records/grant.ts'
import { isGenuine, parseRefreshToken } from '../../tokens/refresh-token.ts'
import { parseClaimedClient, verifyClient } from '../clients/credentials.ts'
import { endGrant } from '../grants/end.ts'
import { readForm, toJson } from '../respond.ts'

/** Revokes a token of the authenticated client. */
export const revoke: Endpoint = async (request, context) => {
  const params = await readForm(request, context)
  const token = params.required('token')
  const claimed = parseClaimedClient(request, params)
  const stored = await clients.find(context.store, claimed.id)
  const { value: client } = await verifyClient(claimed, stored, context)

  const refresh = parseRefreshToken(token)
  if (refresh && isGenuine(token, context)) await revokeGrant(refresh.grantId, client, context)
  if (!refresh) await revokeAccessToken(token, client, context)
  return toJson({})
}

async function revokeGrant(
  grantId: string,
  client: Client,
  context: RequestContext,
): Promise<void> {
  const grant = await grants.find(context.store, grantId)
  if (grant?.value.clientId !== client.id) return
  await endGrant(grantId, 'revoked', context)
  report(client, grantId, 'refresh_token', context)
}

async function revokeAccessToken(
  token: string,
  client: Client,
  context: RequestContext,
): Promise<void> {
  const claims = await context.accessTokens.verify(token).catch((error: unknown) => {
    if (error instanceof OAuthError && error.code === 'invalid_token') return undefined
    throw error
  })
  if (claims?.client_id !== client.id) return
  const { gid: ofGrant, exp: tokenExpiresAt } = claims
  const mark = { at: context.clock.now(), why: 'revoked' as const, ofGrant, tokenExpiresAt }
  await context.store.commit({
    set: [endedGrants.write(endedGrants.key(claims.jti), mark, claims.exp + 60)],
  })
  context.revocations.add(claims.jti)
  report(client, claims.gid, 'access_token', context)
}

function report(client: Client, grantId: string, kind: string, context: RequestContext): void {
  context.audit({
    event: 'token.revoked',
    outcome: 'ok',
    clientId: client.id,
    grantId,
    requestId: context.exchange.requestId,
    peer: context.exchange.peer,
    details: { kind },
  })
}
