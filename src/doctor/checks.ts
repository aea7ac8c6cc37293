/**
 * Everything the doctor looks at, in the order in which one thing causes the next: the first finding is the
 * one to mend first.
 */
import { authorizeChecks } from './checks/authorize.ts'
import { certificateChecks } from './checks/certificate.ts'
import { challengeChecks } from './checks/challenge.ts'
import { clientIdChecks } from './checks/client-id.ts'
import { documentChecks } from './checks/documents.ts'
import { endpointChecks } from './checks/endpoint.ts'
import { frontChecks } from './checks/front.ts'
import { metadataMemberChecks } from './checks/metadata-members.ts'
import { publicUrlChecks } from './checks/public-url.ts'
import { addressChecks, reachChecks } from './checks/reach.ts'
import { registeredChecks } from './checks/registered.ts'
import { registrationChecks } from './checks/registration.ts'
import { resourceChecks } from './checks/resource.ts'
import { serverMetadataChecks } from './checks/server-metadata.ts'
import { surroundingChecks } from './checks/surroundings.ts'
import { upstreamChecks } from './checks/upstream.ts'
import type { Check, Finding, Severity } from './finding.ts'
import { mergeFindings } from './merge-findings.ts'
import { listViews } from './views.ts'
import type { Visit } from './visit.ts'

/** Every check, causes before their consequences. */
export const checks: readonly Check[] = [
  ...reachChecks,
  ...certificateChecks,
  ...addressChecks,
  ...frontChecks,
  ...publicUrlChecks,
  ...endpointChecks,
  ...challengeChecks,
  ...documentChecks,
  ...resourceChecks,
  ...serverMetadataChecks,
  ...metadataMemberChecks,
  ...clientIdChecks,
  ...registrationChecks,
  ...registeredChecks,
  ...authorizeChecks,
  ...upstreamChecks,
  ...surroundingChecks,
]

const weight: Readonly<Record<Severity, number>> = { fault: 0, risk: 1, note: 2 }

/** What is so because somebody develops on their own machine; it explains nothing that comes later. */
const ofThePlace: ReadonlySet<string> = new Set(['private-address'])

/**
 * Finds what is wrong with a server: faults first, each named once, consequences of a fault that is named
 * left out. What a consequence hides shows when its cause is mended and the doctor asked again.
 */
export function diagnose(visit: Visit): readonly Finding[] {
  const findings = mergeFindings(
    listViews(visit).map((view) => ({ view, found: diagnoseView(view) })),
  )
  return findings
    .toSorted((one, other) => toPlace(one) - toPlace(other))
    .toSorted((one, other) => weight[one.severity] - weight[other.severity])
}

function toPlace({ id }: Finding): number {
  return checks.findIndex((check) => check.id === id)
}

function diagnoseView(visit: Visit): readonly Finding[] {
  const findings: Finding[] = []
  const explained = new Set<string>()
  for (const { after = [], find, ...explanation } of checks) {
    const cause = after.find((id) => explained.has(id))
    if (cause !== undefined) {
      if (!ofThePlace.has(cause)) explained.add(explanation.id)
      continue
    }
    const sighting = find(visit)
    if (sighting === undefined) continue
    explained.add(explanation.id)
    findings.push({ ...explanation, ...sighting })
  }
  return findings
}
