/**
 * POST /register: dynamic client registration (RFC 7591 §3).
 *
 * Anyone may register; a registration means nothing until a person approves it. What clients really
 * send is accepted (`oauth/client-metadata.ts`), and the answer says honestly what was kept. Hands over to
 * the mode of registration (`clients/registration-modes.ts`).
 */
import type { Endpoint, Registration, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { type ClientMetadata, parseClientMetadata } from '../../oauth/client-metadata.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { toRegistrationAnswer } from '../clients/registration-answer.ts'
import { auditRegistrationRefusal } from '../clients/registration-audit.ts'
import { registerByMode } from '../clients/registration-modes.ts'
import { readJson, toJson } from '../respond.ts'

/** Registers a client and answers 201 once it is stored durably. */
export const register: Endpoint = async (_request, context) => {
  const { config, limits, exchange } = context
  const { registration } = config
  if (!config.dynamicRegistration || registration.mode === 'verify') throw refuseAll()
  await limits.spend('register', toPeerNetwork(exchange.peer))
  await limits.spend('register', '*')

  try {
    const metadata = parseClientMetadata(await readJson(context))
    const made = await registerByMode(metadata, registration, context)
    announce({ clientId: made.client.id, metadata, mode: registration.mode }, context)
    return toJson(toRegistrationAnswer(made, config), 201)
  } catch (error) {
    auditRegistrationRefusal(error, context)
    throw error
  }
}

function refuseAll(): OAuthError {
  const description = 'This server registers no clients by itself; ask its owner for a client id'
  return new OAuthError('invalid_request', description, { status: 404, reason: 'registration_off' })
}

/** A registration that succeeded. */
interface Registered {
  readonly clientId: string
  readonly metadata: ClientMetadata
  readonly mode: Registration['mode']
}

/** The log lines an owner searches for (H7), the audit line and the counter. */
function announce({ clientId, metadata, mode }: Registered, context: RequestContext): void {
  const { log, audit, metrics } = context
  log.info(`Registered client: ${clientId}`)
  audit({
    event: 'client.registered',
    outcome: 'ok',
    clientId,
    details: { client_name: metadata.client_name, redirect_uris: metadata.redirect_uris, mode },
  })
  metrics.count('registrations')
}
