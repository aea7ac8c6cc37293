/** What stands in the log when a server has started, in words that guides tell owners to look for. */
import type { Context } from '../context.ts'

/** Writes whether OAuth is on, for which issuer and where; and what clients will fail of. */
export function logStart({ config, log }: Pick<Context, 'config' | 'log'>): void {
  const { oauthEnabled, registration, dynamicRegistration, paths } = config
  log.info(`OAuth enabled: ${oauthEnabled ? 'True' : 'False'}`)
  if (!oauthEnabled) return
  if (registration.mode === 'verify') {
    log.info(`OAuth issuer URL: ${registration.issuer}`)
    return
  }
  const { authorize, token, register, revoke, introspect, jwks } = paths
  const served = [
    authorize,
    token,
    ...(dynamicRegistration ? [register] : []),
    revoke,
    introspect,
    jwks,
  ]
  log.info(`OAuth issuer URL: ${config.issuer}`)
  log.info('OAuth provider initialized', { registration: registration.mode })
  log.info(`OAuth endpoints registered: ${served.join(', ')}`)
  if (dynamicRegistration) return
  log.warn(
    'Registration is off, so that ChatGPT says "Failed to resolve OAuth client" unless a client id is typed in: make one with gatehouse clients add, or switch dynamicRegistration on',
  )
}
