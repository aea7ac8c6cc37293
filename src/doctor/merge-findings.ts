/** The findings of several views of one server as one list. */
import type { Finding } from './finding.ts'
import { findStumbles } from './verdict.ts'
import type { Visit } from './visit.ts'

/** What was found for those clients of a visit that see the same. */
export interface ViewFindings {
  readonly view: Visit
  readonly found: readonly Finding[]
}

/**
 * Joins findings of one id, and names the clients of each. What only a later view has counts where a client of
 * that view stumbles over it: the rest is about documents that it does not need.
 */
export function mergeFindings(parts: readonly ViewFindings[]): readonly Finding[] {
  const [most, ...others] = parts
  if (most === undefined || others.length === 0) return most?.found ?? []
  const known = new Set(most.found.map(({ id }) => id))
  const all = [
    ...nameClients(most, most.found),
    ...others.flatMap((part) =>
      nameClients(
        part,
        part.found.filter((finding) => known.has(finding.id) || isFelt(finding, part.view)),
      ),
    ),
  ]
  const everybody = parts.reduce((count, { view }) => count + view.clients.length, 0)
  return [...new Set(all.map(({ id }) => id))].flatMap((id) =>
    join(
      all.filter((finding) => finding.id === id),
      everybody,
    ),
  )
}

function nameClients({ view }: ViewFindings, found: readonly Finding[]): readonly Finding[] {
  const ids = view.clients.map(({ profile }) => profile.id)
  return found.map((finding) => ({ ...finding, only: finding.only ?? ids }))
}

function isFelt(finding: Finding, { clients }: Visit): boolean {
  return clients.some(({ profile }) => findStumbles(profile, [finding]).length > 0)
}

function join(same: readonly Finding[], everybody: number): readonly Finding[] {
  const [first] = same
  if (first === undefined) return []
  const { only: _, ...finding } = first
  const only = listOnce(same.flatMap((each) => each.only ?? []))
  const stops = same.map((each) => each.stops).find((step) => step !== undefined)
  return [
    {
      ...finding,
      seen: listOnce(same.flatMap(({ seen }) => seen.split('; '))).join('; '),
      evidence: listOnce(same.flatMap(({ evidence }) => evidence)),
      breaks: listOnce(same.flatMap(({ breaks }) => breaks)),
      ...(stops === undefined ? {} : { stops }),
      ...(only.length === everybody ? {} : { only }),
    },
  ]
}

function listOnce<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Set(items)]
}
