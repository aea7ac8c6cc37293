/** Scopes, their hierarchy and policies among an embedder's options: every mistake a `TypeError`. */
import type { Backend, Registration } from './context.ts'
import {
  findHierarchyProblem,
  findLegacyProblem,
  findRuleProblem,
  findShadow,
  listPolicyScopes,
} from './oauth/policy.ts'
import type { ScopeHierarchy } from './oauth/scope.ts'

/**
 * Refuses a hierarchy of scopes that do not exist, or that goes in a circle.
 *
 * @throws TypeError naming the scope
 */
export function verifyHierarchy(
  hierarchy: ScopeHierarchy | undefined,
  known: readonly string[],
): void {
  const problem = hierarchy && findHierarchyProblem(hierarchy, known)
  if (problem !== undefined) throw new TypeError(`scopeHierarchy ${problem}`)
}

/**
 * Refuses a policy that names scopes that do not exist, or with a rule that says nothing.
 *
 * @throws TypeError naming the backend and the rule
 */
export function verifyPolicy(
  { id, to, program, ssePath, policy }: Backend,
  known: readonly string[],
): void {
  if (policy === undefined) return
  const refuse = (problem: string) => new TypeError(`Backend ${id}: ${problem}`)
  if (to === undefined && program === undefined)
    throw refuse('a policy needs a "to" or a command: only the gate enforces it')
  const unknown = listPolicyScopes(policy).find((scope) => !known.includes(scope))
  if (unknown !== undefined) throw refuse(`policy needs ${unknown}, which is not among the scopes`)
  const legacyProblem = ssePath === undefined ? undefined : findLegacyProblem(policy)
  if (legacyProblem !== undefined) throw refuse(`policy ${legacyProblem}`)
  const { rules = [] } = policy
  for (const [index, rule] of rules.entries()) {
    const problem = findRuleProblem(rule) ?? findShadow(rules, index)
    if (problem !== undefined) throw refuse(`policy.rules[${index}] ${problem}`)
  }
}

/**
 * Refuses scopes that have names no scope can have, and defaults that are none of them.
 *
 * @throws TypeError naming the scope
 */
export function verifyScopes(
  scopes: Record<string, string>,
  defaults: readonly string[],
  { mode }: Registration,
): void {
  for (const name of Object.keys(scopes)) {
    if (!/^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/.test(name) || name === 'offline_access') {
      throw new TypeError(
        `Scope ${JSON.stringify(name)} is not a name that a scope can have (RFC 6749 §3.3)`,
      )
    }
  }
  const unknown = defaults.find((name) => !Object.hasOwn(scopes, name))
  if (unknown !== undefined)
    throw new TypeError(`Default scope ${JSON.stringify(unknown)} is not among the scopes`)
  if (defaults.length > 0 || mode === 'verify') return
  throw new TypeError('At least one default scope is needed')
}
