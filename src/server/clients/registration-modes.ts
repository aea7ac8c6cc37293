/** How a registration becomes a client, by mode (R2). What is registered was checked before. */
import type { Registration, RequestContext } from '../../context.ts'
import { unavailable } from '../../errors.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { registerWithApplication } from './management.ts'
import { findOrRegisterTwin, type NewClient, registerClient } from './register.ts'
import { findStaticClient } from './static-registration.ts'

/** A mode in which anyone can register. In verify mode there is no registration endpoint. */
type OpenRegistration = Exclude<Registration, { mode: 'verify' }>

/** The client that whoever asks for this gets. */
export async function registerByMode(
  metadata: ClientMetadata,
  registration: OpenRegistration,
  context: RequestContext,
): Promise<NewClient> {
  if (registration.mode === 'static') {
    return findStaticClient(metadata, registration.clientId, context)
  }
  const { reuseRegistrations } = context.config
  const isShared = reuseRegistrations && metadata.token_endpoint_auth_method === 'none'
  const make = registration.mode === 'management' ? registerWithApplication : registerClient
  const register = () => make(metadata, { origin: 'dynamic', manageable: !isShared }, context)
  if (isShared) return findOrRegisterTwin(metadata, register, context)
  const made = await register()
  if (made) return made
  throw unavailable('client_id_taken')
}
