/** What the doctor says: findings, and a verdict for each client. */
import type { ClientProfile, Requirement, Step } from '../profiles/profile.ts'
import type { Observation } from './observation.ts'
import type { Visit } from './visit.ts'

/** `fault`: some client cannot connect. `risk`: it works and will fail one day, or is unsafe. `note`: good to know. */
export type Severity = 'fault' | 'risk' | 'note'

/** What a finding says wherever it is found; the docs print these. */
export interface Explanation {
  /** What is wrong, for programs: `resource-metadata-html`. Stable. */
  readonly id: string
  readonly severity: Severity
  /** What is wrong, in one line without a final period. */
  readonly title: string
  /** Why that matters. */
  readonly why: string
  /** What to change: the exact header, setting or file. */
  readonly fix: string
  /** The Gatehouse setting, when the server is ours. */
  readonly gatehouse?: string
  /** Which requirements of clients it breaks; clients that do not have them are not affected. */
  readonly breaks: readonly Requirement[]
  /** The step that no client gets past, whatever it insists on. */
  readonly stops?: Step
}

/** Where and how it showed this time. */
export interface Sighting {
  /** What was seen, in a sentence with the values. */
  readonly seen: string
  /** The requests that show it. */
  readonly evidence: readonly Observation[]
  /** Ids of clients it concerns, when it was seen for these alone. */
  readonly only?: readonly string[]
  /** The same advice with the values of this server. */
  readonly fix?: string
  /** What it breaks here, where that depends on what was seen. */
  readonly breaks?: readonly Requirement[]
  /** The step that none of the clients it concerns gets past here, where that depends on what was seen. */
  readonly stops?: Step
}

/** One thing that is not as it should be: the explanation, and what the sighting says more exactly. */
export type Finding = Explanation & Sighting & Pick<Explanation, 'fix' | 'breaks'>

/** One thing the doctor looks at. */
export interface Check extends Explanation {
  /** Checks whose findings make this one's consequences: it is not asked after those have found something. */
  readonly after?: readonly string[]
  readonly find: (visit: Visit) => Sighting | undefined
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
