/** All that is wrong with an installation. */
import { createFinding } from '../explained.ts'
import type { Finding, Severity } from '../finding.ts'
import { findAddressFaults } from './address-faults.ts'
import { findDataFaults } from './data-faults.ts'
import { selfExplanations } from './explanations.ts'
import {
  findClockFaults,
  findKeyFaults,
  findOutsideFaults,
  findProcessFaults,
} from './running-faults.ts'
import type { ConfigurationProblem, SelfFacts } from './self-facts.ts'

const order: readonly Severity[] = ['fault', 'risk', 'note']

/** Findings, faults first. */
export function findSelfFaults(facts: SelfFacts): Finding[] {
  return [
    ...facts.warnings.map((warning) => toConfigurationFinding(warning, 'risk')),
    ...findDataFaults(facts),
    ...findKeyFaults(facts),
    ...findAddressFaults(facts),
    ...findOutsideFaults(facts),
    ...findClockFaults(facts),
    ...findProcessFaults(facts),
  ].toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
}

/** A problem of the configuration: with a fault of it nothing starts. */
export function toConfigurationFinding(
  { place, setting, problem }: ConfigurationProblem,
  severity: 'fault' | 'risk',
): Finding {
  const id = severity === 'fault' ? 'configuration-problem' : 'configuration-warning'
  const subject = setting === '' ? place : `${setting} at ${place}`
  const finding = createFinding(selfExplanations, id, {
    seen: setting === '' ? `${place} ${problem}` : `${place}: ${setting} ${problem}`,
    fix: `Correct ${subject}; gatehouse config check says whether it is right.`,
    evidence: [],
  })
  return setting === '' ? finding : { ...finding, gatehouse: setting }
}
