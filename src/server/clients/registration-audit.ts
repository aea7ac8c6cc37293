/** The audit line of a registration that was refused, at its making or its replacement. */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'

/** Notes a refusal, and nothing that is a fault of ours. */
export function auditRegistrationRefusal(
  error: unknown,
  { audit }: RequestContext,
  clientId?: string,
): void {
  if (!(error instanceof OAuthError) || error.status >= 500) return
  const reason = error.reason ?? error.code
  audit({ event: 'client.refused', outcome: 'refused', reason, clientId })
}
