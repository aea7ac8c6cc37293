/**
 * Which scopes an operation on an MCP server needs, as the owner wrote it down: the form of a policy and
 * what is wrong with one. `gate/policy/` enforces it.
 */
import type { ScopeHierarchy } from './scope.ts'

/** One name or pattern, or several of which one has to fit. */
export type Patterns = string | readonly string[]

/**
 * One rule: which operations it is about, and what they need.
 *
 * Exactly one of `tool`, `prompt`, `resource` and `method`, or `method` beside one of the others; exactly
 * one of `scopes` and `deny`. `*` stands for any run of characters, in `resource` for any without `/`,
 * and `**` there for any at all.
 */
export interface PolicyRule {
  /** Names of tools, as `tools/call` names them. */
  readonly tool?: Patterns | undefined
  /** Names of prompts: `prompts/get`, `completion/complete`. */
  readonly prompt?: Patterns | undefined
  /** URIs of resources: `resources/read`, subscriptions, `completion/complete`. */
  readonly resource?: Patterns | undefined
  /** JSON-RPC methods, such as `tools/list` or `tasks/*`. */
  readonly method?: Patterns | undefined
  /** All are needed. Empty: nothing beyond `connect`. */
  readonly scopes?: readonly string[] | undefined
  /** Nobody may, whatever their token. Wins over every other rule. */
  readonly deny?: true | undefined
}

/** What a backend asks of access tokens. */
export interface Policy {
  /** Needed for anything at all, also to open a stream. Default: none. */
  readonly connect?: readonly string[] | undefined
  /** A rule with `deny` wins wherever it stands; of the others, the first that fits decides. */
  readonly rules?: readonly PolicyRule[] | undefined
  /** What an operation needs that fits no rule. Default: nothing beyond `connect`. */
  readonly otherwise?: readonly string[] | 'deny' | undefined
  /**
   * How a tool call is refused: `forbidden`, a 403 after which a client asks for more, or `tool-result`, a
   * result with `_meta["mcp/www_authenticate"]` after which ChatGPT shows its button. Default `forbidden`.
   */
  readonly answer?: 'forbidden' | 'tool-result' | undefined
  /** Whether `tools/list` says in `securitySchemes` what each tool needs; not beside HTTP+SSE. Default false. */
  readonly announce?: boolean | undefined
}

const selectors = ['tool', 'prompt', 'resource', 'method'] as const

/** Every scope that a policy names, each once. */
export function listPolicyScopes({ connect = [], rules = [], otherwise = [] }: Policy): string[] {
  const needed = rules.flatMap((rule) => rule.scopes ?? [])
  return [...new Set([...connect, ...needed, ...(otherwise === 'deny' ? [] : otherwise)])]
}

/**
 * The scopes to name to a client that has none yet: the defaults, and what connecting needs.
 *
 * A client that got the defaults alone would be sent back for more at its first request.
 */
export function toStartingScopes(defaults: readonly string[], policy?: Policy): readonly string[] {
  const missing = (policy?.connect ?? []).filter((scope) => !defaults.includes(scope))
  return missing.length === 0 ? defaults : [...defaults, ...missing]
}

/** Why a policy cannot be for a server that clients of HTTP+SSE reach; undefined when it can. */
export function findLegacyProblem({ announce }: Policy): string | undefined {
  if (!announce) return undefined
  return 'has announce, which does not reach clients of HTTP+SSE: leave it out, or ssePath and transport sse'
}

/** What is wrong with a rule by itself, continuing a sentence about it; undefined when nothing is. */
export function findRuleProblem(rule: PolicyRule): string | undefined {
  const given = selectors.filter((name) => rule[name] !== undefined)
  const named = given.filter((name) => name !== 'method')
  if (given.length === 0) return `needs one of ${selectors.join(', ')}`
  if (named.length > 1) return `is about a ${named[0]} and a ${named[1]} at once; make it two rules`
  const empty = given.find((name) => isEmpty([rule[name] ?? []].flat()))
  if (empty !== undefined) return `has an empty ${empty}, which nothing would fit`
  if ((rule.scopes === undefined) === (rule.deny === undefined))
    return 'needs either scopes or deny: true'
  return undefined
}

function isEmpty(patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.includes('')
}

/** Why the rule at an index could never decide; undefined when it can. */
export function findShadow(rules: readonly PolicyRule[], index: number): string | undefined {
  const rule = rules[index]
  if (rule === undefined || rule.deny) return undefined
  const patterns = toKeys(rule)
  const earlier = rules.filter((other, at) => other.deny === true || at < index)
  const covered = earlier.flatMap(toKeys)
  const isCovered = (key: string) => covered.some((other) => coversAll(other, key))
  if (!patterns.every(isCovered)) return undefined
  return 'can never decide: rules before it, or with deny, take all that it is about'
}

/** A rule as one text for each of its patterns, for comparison. */
function toKeys(rule: PolicyRule): string[] {
  const kind = selectors.find((name) => rule[name] !== undefined) ?? 'method'
  const method = kind === 'method' ? '' : [rule.method ?? '*'].flat().join(',')
  return [rule[kind] ?? []].flat().map((pattern) => [kind, method, pattern].join(' '))
}

function coversAll(other: string, key: string): boolean {
  const [kind] = key.split(' ', 1)
  const everything = kind === 'resource' ? '* **' : '* *'
  return other === key || (kind !== 'method' && other === `${kind} ${everything}`)
}

/**
 * What is wrong with a hierarchy, continuing a sentence about it; undefined when nothing is.
 *
 * @param known the scopes that exist
 */
export function findHierarchyProblem(
  hierarchy: ScopeHierarchy,
  known: readonly string[],
): string | undefined {
  const named = [...Object.keys(hierarchy), ...Object.values(hierarchy).flat()]
  const unknown = named.find((scope) => !known.includes(scope))
  if (unknown !== undefined) return `names ${unknown}, which is not among the scopes`
  const circular = Object.keys(hierarchy).find((scope) => leadsTo(scope, scope, hierarchy))
  if (circular === undefined) return undefined
  return `goes in a circle at ${circular}: give each scope only narrower ones`
}

function leadsTo(from: string, to: string, hierarchy: ScopeHierarchy): boolean {
  const seen = new Set<string>()
  const next = [...(hierarchy[from] ?? [])]
  for (let scope = next.pop(); scope !== undefined; scope = next.pop()) {
    if (scope === to) return true
    if (!seen.has(scope)) next.push(...(hierarchy[scope] ?? []))
    seen.add(scope)
  }
  return false
}
