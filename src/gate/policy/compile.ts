/** A policy made ready to decide: each operation to what it needs. */
import { LRUCache } from 'lru-cache'
import type { Patterns, Policy, PolicyRule } from '../../oauth/policy.ts'
import type { Kind, Operation, Target } from './message.ts'
import { compileNamePattern, compileUriPattern, type Fits, toComparable } from './pattern.ts'

/** What an operation needs of a token. */
export interface Need {
  /** Nobody may. */
  readonly denied: boolean
  /** All of them. */
  readonly scopes: readonly string[]
}

/** Decides about operations. */
export interface Judge {
  /** What the operation needs, `connect` included. */
  readonly judge: (operation: Operation) => Need
  /** What a call of the tool needs. */
  readonly judgeTool: (name: string) => Need
}

interface CompiledRule {
  readonly fitsMethod: Fits
  readonly kind: Kind | undefined
  readonly fitsName: Fits
  readonly need: Need
}

/** Decisions remembered per backend, and the longest that is: names come from clients, without end. */
const remembered = 1000
const keyLengthRemembered = 1024

const kinds = ['tool', 'prompt', 'resource'] as const

/** Without these nobody could find out what is there; a rule that names the method still counts. */
const isHandshake = (method: string): boolean =>
  method === 'initialize' ||
  method === 'server/discover' ||
  method === 'ping' ||
  method.startsWith('notifications/')

/** Compiles a policy, once. */
export function compilePolicy({ connect = [], rules = [], otherwise = [] }: Policy): Judge {
  const free: Need = { denied: false, scopes: connect }
  const rest = otherwise === 'deny' ? denied : toNeed(connect, otherwise)
  const inOrder = [...rules.filter((rule) => rule.deny), ...rules.filter((rule) => !rule.deny)]
  const compiled = inOrder.map((rule) => compileRule(rule, connect))
  const decided = new LRUCache<string, Need>({ max: remembered })

  const decide = (method: string, target?: Target, spelling = ''): Need => {
    const rule = compiled.find(
      ({ fitsMethod, kind, fitsName }) =>
        fitsMethod(method) && (kind === undefined || (kind === target?.kind && fitsName(spelling))),
    )
    return rule?.need ?? (isHandshake(method) ? free : rest)
  }
  const judge = ({ comparable, targets }: Operation): Need => {
    const key = JSON.stringify([comparable, ...targets.map(({ kind, name }) => [kind, name])])
    const known = decided.get(key)
    if (known) return known
    const needs = targets.flatMap((target) =>
      target.spellings.map((spelling) => decide(comparable, target, spelling)),
    )
    const need = needs.length === 0 ? decide(comparable) : uniteNeeds(needs)
    if (key.length <= keyLengthRemembered) decided.set(key, need)
    return need
  }
  const judgeTool = (name: string): Need => {
    const target = { kind: 'tool' as const, name, spellings: [toComparable(name)] }
    return judge({ method: 'tools/call', comparable: 'tools/call', targets: [target] })
  }
  return { judge, judgeTool }
}

/** What several operations need together. */
export function uniteNeeds(needs: readonly Need[]): Need {
  return {
    denied: needs.some((need) => need.denied),
    scopes: [...new Set(needs.flatMap((need) => need.scopes))],
  }
}

const denied: Need = { denied: true, scopes: [] }

function toNeed(connect: readonly string[], scopes: readonly string[]): Need {
  return { denied: false, scopes: [...new Set([...connect, ...scopes])] }
}

function compileRule(rule: PolicyRule, connect: readonly string[]): CompiledRule {
  const kind = kinds.find((name) => rule[name] !== undefined)
  const compileName = kind === 'resource' ? compileUriPattern : compileNamePattern
  return {
    fitsMethod: compileAny(rule.method ?? '*', compileNamePattern),
    kind,
    fitsName: compileAny((kind && rule[kind]) ?? '*', compileName),
    need: rule.deny ? denied : toNeed(connect, rule.scopes ?? []),
  }
}

function compileAny(patterns: Patterns, compile: (pattern: string) => Fits): Fits {
  const all = [patterns].flat().map(compile)
  return (name) => all.some((fits) => fits(name))
}
