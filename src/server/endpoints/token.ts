/**
 * POST /token: trade a grant for tokens (OAuth 2.1 §3.2).
 *
 * Reads the form once, reads the client and everything the grant needs in one round trip, proves the
 * client once, then hands over to the one file in `grants/` that knows the grant type. No cookie is
 * looked at (catalogue TK-19).
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import { parseClaimedClient, verifyClient } from '../clients/credentials.ts'
import type { GrantType } from '../grants/grant-type.ts'
import { grantTypes } from '../grants/registry.ts'
import { readForm, toJson } from '../respond.ts'

/** Answers with tokens. */
export const token: Endpoint = async (request, context) => {
  const params = await readForm(request, context)
  const grantType = params.required('grant_type')
  const type = grantTypes.get(grantType)
  if (!type) {
    throw new OAuthError(
      'unsupported_grant_type',
      `Grant type "${grantType.slice(0, 80)}" is not supported`,
    )
  }
  const claimed = parseClaimedClient(request, params)

  try {
    const [clientEntry, ...entries] = await context.store.get([
      clients.key(claimed.id),
      ...type.keys(params),
    ])
    const client = await verifyClient(claimed, clients.decode(clientEntry), context)
    verifyGrantType(client.value, type)
    const answer = await type.redeem({ params, client, entries }, context)
    context.metrics.count('tokens', { grant_type: type.name })
    return toJson(answer)
  } catch (error) {
    await countRefusal(error, claimed.id, context)
    throw error
  }
}

/** A client uses only what it registered (TK-06). */
function verifyGrantType(client: Client, type: GrantType): void {
  if (client.metadata.grant_types.includes(type.name)) return
  throw new OAuthError('unauthorized_client', `The client is not registered for "${type.name}"`, {
    reason: 'grant_type_not_registered',
  })
}

/** Guessing at one client's codes and tokens is limited; the honest majority never notices (TK-20). */
async function countRefusal(
  error: unknown,
  clientId: string,
  context: RequestContext,
): Promise<void> {
  if (!(error instanceof OAuthError) || error.status >= 429) return
  context.audit({
    event: 'token.refused',
    outcome: 'refused',
    reason: error.reason ?? error.code,
    clientId,
    requestId: context.exchange.requestId,
    peer: context.exchange.peer,
  })
  await context.limits.spend('token', `${clientId} ${toPeerNetwork(context.exchange.peer)}`)
}
