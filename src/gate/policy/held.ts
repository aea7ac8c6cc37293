/** The scopes that a token stands for, those that it includes among them. */
import { LRUCache } from 'lru-cache'
import { expandScopes, type ScopeHierarchy } from '../../oauth/scope.ts'

/** What the scope claim of a token amounts to. */
export type FindHeld = (scope: string) => ReadonlySet<string>

/** Scope claims remembered. There are as many as combinations of scopes that people tick. */
const remembered = 1000

/** Expands scope claims along the hierarchy, each once. */
export function createHeldScopes(hierarchy: ScopeHierarchy = {}): FindHeld {
  const known = new LRUCache<string, ReadonlySet<string>>({ max: remembered })
  return (scope) => {
    const held = known.get(scope) ?? expandScopes(scope.split(' ').filter(Boolean), hierarchy)
    known.set(scope, held)
    return held
  }
}
