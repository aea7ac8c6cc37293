/**
 * Registration in management mode: each client is also an application at the identity provider.
 *
 * The application first, then the client: what a fault leaves behind is an application that nobody uses,
 * which is removed at once or, when even that fails, found by `gatehouse clients reap`. Removal goes the
 * other way round, so that the client is gone whatever the provider does.
 */
import type { Context, RequestContext } from '../../context.ts'
import { unavailable } from '../../errors.ts'
import type { Applications } from '../../identity/applications.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import type { Client } from '../../storage/records/client.ts'
import { toCallbackPath } from '../paths.ts'
import {
  createClientId,
  type NewClient,
  type RegistrationChoices,
  registerClient,
} from './register.ts'

/**
 * Registers a client together with its application.
 *
 * @throws OAuthError `temporarily_unavailable` when provider or store fail, or too many were made: then there is
 *   no client
 */
export async function registerWithApplication(
  metadata: ClientMetadata,
  choices: RegistrationChoices,
  context: RequestContext,
): Promise<NewClient | undefined> {
  const applications = resolveApplications(context)
  await context.limits.spend('application', toPeerNetwork(context.exchange.peer))
  await context.limits.spend('application', '*')
  const id = createClientId(context)
  const applicationId = await applications.create({
    clientId: id,
    name: metadata.client_name,
    callback: toCallback(applications, context),
    issuer: context.config.issuer,
    createdAt: context.clock.now(),
  })
  try {
    const made = await registerClient(metadata, { ...choices, id, applicationId }, context)
    if (made) return made
  } catch (error) {
    await removeApplication({ applicationId }, context)
    throw error
  }
  await removeApplication({ applicationId }, context)
  return undefined
}

/** Removes the application of a client that is gone, if it has one; one that stays is left to be reaped. */
export async function removeApplication(
  { applicationId }: Pick<Client, 'applicationId'>,
  { applications, log }: Pick<Context, 'applications' | 'log'>,
): Promise<void> {
  if (applicationId === undefined || applications === undefined) return
  await applications.remove(applicationId).catch((error: unknown) => {
    log.warn('An application stays behind; remove it with gatehouse clients reap', {
      provider: applications.label,
      application: applicationId,
      error,
    })
  })
}

function resolveApplications({ applications }: RequestContext): Applications {
  if (applications) return applications
  throw unavailable('applications_not_configured')
}

function toCallback({ upstreamId }: Applications, { config, upstreams }: RequestContext): string {
  const upstream = upstreams.get(upstreamId) ?? { id: upstreamId }
  return config.issuer + toCallbackPath(upstream, config.paths)
}
