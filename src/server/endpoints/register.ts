/**
 * POST /register: dynamic client registration (RFC 7591 §3).
 *
 * Anyone may register; a registration means nothing until a person approves it. What clients really
 * send is accepted (`oauth/client-metadata.ts`), and the answer says honestly what was kept.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import { type ClientMetadata, parseClientMetadata } from '../../oauth/client-metadata.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { findOrRegisterTwin, registerClient, toRegistrationAnswer } from '../clients/register.ts'
import { readJson, toJson } from '../respond.ts'

/** Registers a client and answers 201 once it is stored durably. */
export const register: Endpoint = async (_request, context) => {
  if (!context.config.dynamicRegistration) {
    throw new OAuthError(
      'invalid_request',
      'This server registers no clients by itself; ask its owner for a client id',
      {
        status: 404,
        reason: 'registration_off',
      },
    )
  }
  await context.limits.spend('register', toPeerNetwork(context.exchange.peer))
  await context.limits.spend('register', '*')

  const metadata = await readMetadata(context)
  const reuses = context.config.reuseRegistrations && metadata.token_endpoint_auth_method === 'none'
  const made = reuses
    ? await findOrRegisterTwin(metadata, context)
    : await registerClient(metadata, { origin: 'dynamic' }, context)
  if (!made) throw unavailable('client_id_taken')

  announce(made.client.id, metadata.redirect_uris, metadata.client_name, context)
  return toJson(toRegistrationAnswer(made), 201)
}

/** What the client asks for; the audit log says why one was refused. */
async function readMetadata(context: RequestContext): Promise<ClientMetadata> {
  try {
    return parseClientMetadata(await readJson(context))
  } catch (error) {
    if (error instanceof OAuthError) reportRefusal(error, context)
    throw error
  }
}

function reportRefusal(error: OAuthError, { audit, exchange }: RequestContext): void {
  audit({
    event: 'client.refused',
    outcome: 'refused',
    reason: error.reason ?? error.code,
    requestId: exchange.requestId,
    peer: exchange.peer,
  })
}

/** The log lines an owner searches for (H7), the audit line and the counter. */
function announce(
  clientId: string,
  redirectUris: readonly string[],
  clientName: string | undefined,
  { log, audit, metrics, exchange }: RequestContext,
): void {
  log.info(`Registered client: ${clientId}`)
  audit({
    event: 'client.registered',
    outcome: 'ok',
    clientId,
    requestId: exchange.requestId,
    peer: exchange.peer,
    details: { client_name: clientName, redirect_uris: redirectUris },
  })
  metrics.count('registrations')
}
