/**
 * The audit log: every security event as one structured line, whatever the level of the ordinary log
 * (catalogue OP-04). Lines are told apart by `audit: true`.
 */
import type { Audit, AuditEvent, AuditEventName } from '../platform/ports.ts'
import { createLog, type LogOptions } from './log.ts'

/** The message of each event: what the owner searches the log for. */
const messages: Record<AuditEventName, string> = {
  'client.registered': 'Client registered',
  'client.refused': 'Client registration refused',
  'client.removed': 'Client removed',
  'client.updated': 'Client updated',
  'authorize.started': 'Authorization started',
  'authorize.refused': 'Authorization refused',
  'sign-in.succeeded': 'Signed in',
  'sign-in.failed': 'Sign-in failed',
  'sign-out': 'Signed out',
  'consent.allowed': 'Consent given',
  'consent.denied': 'Consent denied',
  'code.issued': 'Authorization code issued',
  'code.refused': 'Authorization code refused',
  'code.replayed': 'Authorization code presented again',
  'token.issued': 'Exchanged authorization code for tokens',
  'token.refreshed': 'Tokens refreshed',
  'token.retried': 'Refresh repeated, same tokens returned',
  'token.refused': 'Token request refused',
  'token.reused': 'Old refresh token presented',
  'token.revoked': 'Token revoked',
  'grant.ended': 'Grant ended',
  'gate.refused': 'Request refused at the gate',
  'user.added': 'User added',
  'user.linked': 'User linked to another account of theirs',
  'user.invited': 'User invited',
  'user.uninvited': 'Invitation taken back',
  'user.password_changed': 'Password changed',
  'user.removed': 'User removed',
  'key.made': 'Key made',
  'key.revoked': 'Signing key revoked',
  'admin-token.made': 'Admin token made',
  'limit.reached': 'Rate limit reached',
  'upstream.ended': 'The identity provider vouches for the person no longer',
  'upstream.revoked': 'Revoked at the identity provider',
  'upstream.revocation_retried': 'Not yet revoked at the identity provider; trying again',
  'upstream.revocation_failed': 'Could not be revoked at the identity provider',
  'upstream.revocation_dropped':
    'Not revoked at the identity provider: it would end a newer sign-in',
}

/** Where audit lines go; the level is not a choice. */
export type AuditOptions = Omit<LogOptions, 'level'>

/**
 * The audit log of this process.
 *
 * A line is written before the call returns. When the destination fails the call throws, and with it
 * the request: an event that cannot be recorded does not happen (catalogue OP-04).
 */
export function createAudit(options: AuditOptions = {}): Audit {
  const log = createLog({ ...options, level: 'info' })
  return (event) => log.info(toMessage(event), toFields(event))
}

/** A registration names the client and where codes would go, in words that guides tell owners to search for (H7). */
function toMessage({ event, clientId, details }: AuditEvent): string {
  if (event !== 'client.registered') return messages[event]
  const [redirectUri] = Array.isArray(details?.redirect_uris) ? details.redirect_uris : []
  const where = typeof redirectUri === 'string' ? ` with redirect_uri: ${redirectUri}` : ''
  const who = clientId === undefined ? '' : ` (Registered client: ${clientId})`
  return messages[event] + where + who
}

/** The line's fields; absent ones are left out. */
function toFields(event: AuditEvent): Record<string, unknown> {
  return {
    audit: true,
    event: event.event,
    outcome: event.outcome,
    reason: event.reason,
    client_id: event.clientId,
    user: event.userId,
    grant: event.grantId,
    request_id: event.requestId,
    peer: event.peer,
    actor: event.actor,
    at: event.at === undefined ? undefined : new Date(event.at * 1000).toISOString(),
    details: event.details,
  }
}
