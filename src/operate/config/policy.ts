/** Policies and scope hierarchies as they are configured: the schema, and what contradicts the scopes. */
import { z } from 'zod'
import {
  findHierarchyProblem,
  findLegacyProblem,
  findRuleProblem,
  findShadow,
  listPolicyScopes,
  type Policy,
} from '../../oauth/policy.ts'
import type { SettingPath } from './layers.ts'
import { type Problem, toName } from './problems.ts'
import type { RawConfig } from './schema.ts'

const pattern = z.string()
const patterns = z.union(
  [pattern, z.array(pattern)],
  'must be a name or pattern, or a list of them',
)
const scopeNames = z.array(z.string().min(1, 'must not be empty'))

const rule = z.strictObject({
  tool: patterns.optional(),
  prompt: patterns.optional(),
  resource: patterns.optional(),
  method: patterns.optional(),
  scopes: scopeNames.optional(),
  deny: z.literal(true).optional(),
})

/** The schema of a backend's `policy`. */
export const policySchema = z.strictObject({
  connect: scopeNames.optional(),
  rules: z.array(rule).optional(),
  otherwise: z
    .union([z.literal('deny'), scopeNames], 'must be deny or a list of scopes')
    .optional(),
  answer: z.enum(['forbidden', 'tool-result']).optional(),
  announce: z.boolean().optional(),
})

/** The schema of `scopeHierarchy`. */
export const hierarchySchema = z.record(z.string(), scopeNames)

/** What is wrong with the hierarchy and with policies, beyond their form. */
export function findScopeConflicts(
  raw: RawConfig,
  backends: RawConfig['backends'],
  locate: (path: SettingPath) => string,
): Problem[] {
  const known = listScopes(raw)
  const toProblem = (path: SettingPath, problem: string | undefined): Problem[] =>
    problem === undefined ? [] : [{ place: locate(path), setting: toName(path), problem }]
  const hierarchy = raw.scopeHierarchy && findHierarchyProblem(raw.scopeHierarchy, known)
  return [
    ...toProblem(['scopeHierarchy'], hierarchy),
    ...backends.flatMap((backend, index) => {
      const { policy } = backend
      const at = ['backends', index, 'policy']
      const rules = policy?.rules ?? []
      return [
        ...toProblem(at, policy && findPolicyProblem(policy, backend, known)),
        ...rules.flatMap((one, number) =>
          toProblem([...at, 'rules', number], findRuleProblem(one) ?? findShadow(rules, number)),
        ),
      ]
    }),
  ]
}

function findPolicyProblem(
  policy: Policy,
  { to, command, transport, ssePath }: RawConfig['backends'][number],
  known: readonly string[],
): string | undefined {
  if (to === undefined && command === undefined)
    return 'needs a "to" or a command beside it: only the gate enforces it'
  const unknown = listPolicyScopes(policy).filter((scope) => !known.includes(scope))
  if (unknown.length > 0) return `names ${unknown.join(', ')}, which scopes does not have`
  const isLegacy = ssePath !== undefined || transport === 'sse'
  return isLegacy ? findLegacyProblem(policy) : undefined
}

/** As `createGatehouse` fills them in. */
function listScopes({ scopes, registration }: RawConfig): readonly string[] {
  if (scopes !== undefined) return Object.keys(scopes)
  return registration?.mode === 'verify' ? (registration.verify?.requiredScopes ?? []) : ['mcp']
}
