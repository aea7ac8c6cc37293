/** Ties tests to rows of `requirements.ts`: the title comes from the row, and the compiler knows the ids. */
import { it } from 'vitest'
import { type RequirementId, requirements } from './requirements.ts'

type Body = () => Promise<void> | void

function toTitle(id: RequirementId, aspect?: string): string {
  const { behavior } = requirements[id]
  return aspect === undefined ? `${id}: ${behavior}` : `${id}: ${behavior}: ${aspect}`
}

/**
 * A test of the whole requirement.
 *
 * @param timeout in milliseconds; default: vitest's
 */
export function verifies(id: RequirementId, body: Body, timeout?: number): void {
  it(toTitle(id), body, timeout)
}

/** A test of one aspect of a requirement, said in a few words: `verifiesThat('H1', 'over a restart', …)`. */
export function verifiesThat(
  id: RequirementId,
  aspect: string,
  body: Body,
  timeout?: number,
): void {
  it(toTitle(id, aspect), body, timeout)
}

/** One test of the requirement per case. */
export function verifiesEach<Case extends { readonly name: string }>(
  id: RequirementId,
  cases: readonly Case[],
  body: (each: Case) => Promise<void> | void,
): void {
  for (const each of cases) it(toTitle(id, each.name), () => body(each))
}
