/** What the doctor says: findings, and a verdict for each client. */
import type { ClientProfile, Requirement, Step } from '../profiles/profile.ts'
import type { Observation } from './observation.ts'
import type { Visit } from './visit.ts'

/** `fault`: some client cannot connect. `risk`: it works and will fail one day, or is unsafe. `note`: good to know. */
export type Severity = 'fault' | 'risk' | 'note'

/** One thing that is not as it should be. */
export interface Finding {
  /** What is wrong, for programs: `resource-metadata-html`. Stable. */
  readonly id: string
  readonly severity: Severity
  /** What is wrong, in one line without a final period. */
  readonly title: string
  /** What was seen, in a sentence with the values. */
  readonly seen: string
  /** Why that matters. */
  readonly why: string
  /** What to change: the exact header, setting or file. */
  readonly fix: string
  /** The Gatehouse setting, when the server is ours. */
  readonly gatehouse?: string
  /** The requests that show it. */
  readonly evidence: readonly Observation[]
  /** Which requirements of clients it breaks; clients that do not have them are not affected. */
  readonly breaks: readonly Requirement[]
  /** Ids of clients it concerns, when it was seen for these alone. */
  readonly only?: readonly string[]
}

/** One thing the doctor looks at. */
export interface Check {
  /** The findings it can have, each explained in the docs. */
  readonly id: string
  /** Checks whose findings make this one's consequences: it is not asked after those have found a fault. */
  readonly after?: readonly string[]
  readonly find: (visit: Visit) => readonly Finding[]
}

/** What one client would do. */
export interface Verdict {
  readonly client: Pick<ClientProfile, 'id' | 'name'>
  readonly outcome: 'connects' | 'stumbles' | 'unknown'
  /** Where it stops. */
  readonly step?: Step
  /** The first finding it stumbles over. */
  readonly finding?: string
  /** What its user sees. */
  readonly words?: string
}
