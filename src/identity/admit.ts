/** The door: an identity passes the rules of admission, or is told who it was and whom to ask. */
import { OAuthError } from '../errors.ts'
import type { Admission, AdmissionReason } from './admission.ts'
import type { Identity } from './upstream.ts'

/** Why somebody may not enter whom the provider knows; `not_invited`: only invited people may. */
export type RefusalReason = AdmissionReason | 'not_invited'

const refusalReasons: ReadonlySet<string> = new Set<RefusalReason>([
  'not_admitted',
  'admission_denied',
  'admission_unknown',
  'not_invited',
])

/**
 * Returns the identity when the rules admit it. Without rules, everyone may enter for whom the provider
 * vouches.
 *
 * @throws OAuthError `access_denied`; which rules could not be decided is in its cause, for the log
 */
export function admit(
  label: string,
  admission: Admission | undefined,
  identity: Identity,
): Identity {
  const verdict = admission?.(identity) ?? { allowed: true }
  if (verdict.allowed) return identity
  const { account, reason, undecided } = verdict
  const cause =
    undecided.length > 0
      ? new Error(`${label} did not say what these rules are about: ${undecided.join(', ')}`)
      : undefined
  throw notAdmitted(label, account, reason, cause)
}

/** The error for someone whom the provider knows and the owner does not want here. */
export function notAdmitted(
  label: string,
  account: string,
  reason: RefusalReason = 'not_admitted',
  cause?: Error,
): OAuthError {
  return new OAuthError(
    'access_denied',
    `${account} at ${label} may not sign in here; ask the owner of this server for access`,
    { reason, cause },
  )
}

/** Whether an error says that this person, as the provider knows them, may not enter. */
export function isNotAdmitted(error: unknown): error is OAuthError {
  return error instanceof OAuthError && refusalReasons.has(error.reason ?? '')
}
