/** Findings whose words stand in a table beside the code that finds them, so that the docs can print them, too. */
import type { Explanation, Finding, Sighting } from './finding.ts'

/** What findings say wherever they are found, by id. */
export type Explanations<Id extends string = string> = Readonly<Record<Id, Omit<Explanation, 'id'>>>

/** The finding of an id, with what was seen this time. */
export function createFinding<Id extends string>(
  explanations: Explanations<Id>,
  id: Id,
  sighting: Sighting,
): Finding {
  return { id, ...explanations[id], ...sighting }
}
