/** All that a login shows to be wrong. */
import type { Finding } from '../finding.ts'
import { findCallbackFaults } from './callback-faults.ts'
import { findEndingFaults } from './ending-faults.ts'
import type { LoginVisit } from './login-visit.ts'
import { findRefreshFaults } from './refresh-faults.ts'
import { findTokenFaults } from './token-faults.ts'
import { findUseFaults } from './use-faults.ts'

/** Findings in the order in which a client would come upon them. */
export function findLoginFaults(visit: LoginVisit): Finding[] {
  return [
    ...findCallbackFaults(visit),
    ...findTokenFaults(visit),
    ...findUseFaults(visit),
    ...findRefreshFaults(visit),
    ...findEndingFaults(visit),
  ]
}
