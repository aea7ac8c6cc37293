import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  expandScopes,
  formatScope,
  narrowScope,
  parseScope,
  resolveScope,
} from '../../src/oauth/scope.ts'
import { refusalOf } from './refusal.ts'

const supported = ['notes:read', 'notes:write', 'offline_access']
const defaults = ['notes:read']

/** Any set of scopes in any order. */
const scopes: fc.Arbitrary<string[]> = fc.uniqueArray(
  fc.constantFrom('a', 'b', 'c', 'd', 'offline_access'),
)

describe('scope syntax', () => {
  it('splits, drops repeats and keeps the order (AZ-16)', () => {
    expect(parseScope(' b a  b ')).toEqual(['b', 'a'])
    expect(parseScope(undefined)).toEqual([])
    expect(parseScope('https://api.example/x!#[]')).toEqual(['https://api.example/x!#[]'])
  })

  it.each(['a"b', 'a\\b', 'a\tb', 'a\nb', 'é', '\x7f'])(
    'refuses %j (RFC 6749 §3.3, AZ-16)',
    (text) => {
      expect(refusalOf(() => parseScope(text)).code).toBe('invalid_scope')
    },
  )

  it('takes 1 KB and no more (AZ-16)', () => {
    expect(parseScope('a'.repeat(1024))).toHaveLength(1)
    expect(refusalOf(() => parseScope('a'.repeat(1025))).code).toBe('invalid_scope')
  })

  it('reads what it writes', () => {
    fc.assert(
      fc.property(scopes, (list) => {
        expect(parseScope(formatScope(list))).toEqual(list)
      }),
    )
  })
})

describe('requested scope', () => {
  it('falls back to the defaults when none is asked for, or none is known', () => {
    expect(resolveScope(undefined, supported, defaults)).toEqual(defaults)
    expect(resolveScope('', supported, defaults)).toEqual(defaults)
    expect(resolveScope('openid email profile', supported, defaults)).toEqual(defaults)
  })

  it('drops unknown scopes beside known ones', () => {
    expect(resolveScope('openid notes:write', supported, defaults)).toEqual(['notes:write'])
  })

  it('keeps offline_access when asked, and never adds it', () => {
    expect(resolveScope('offline_access', [], defaults)).toEqual(['notes:read', 'offline_access'])
    expect(resolveScope('notes:write offline_access', supported, defaults)).toEqual([
      'notes:write',
      'offline_access',
    ])
    expect(resolveScope('notes:write', supported, defaults)).not.toContain('offline_access')
  })

  it('never yields what is neither supported nor a default', () => {
    fc.assert(
      fc.property(scopes, scopes, scopes, (asked, known, standing) => {
        const allowed = [...known, ...standing, 'offline_access']
        const resolved = resolveScope(formatScope(asked), known, standing)
        expect(resolved.every((scope) => allowed.includes(scope))).toBe(true)
        expect(new Set(resolved).size).toBe(resolved.length)
        expect(resolved.includes('offline_access') || !asked.includes('offline_access')).toBe(true)
      }),
    )
  })
})

describe('refreshed scope', () => {
  const granted = ['read', 'write']

  it('is the subset asked for, or the whole grant (RFC 6749 §6)', () => {
    expect(narrowScope(['read'], granted, granted)).toEqual(['read'])
    expect(narrowScope([], granted, granted)).toEqual(granted)
  })

  it('drops what was asked for once and never granted', () => {
    expect(narrowScope(['read', 'admin'], granted, ['read', 'admin'])).toEqual(['read'])
    expect(narrowScope(['admin'], granted, ['admin'])).toEqual(granted)
  })

  it('drops offline_access that was never granted, as Codex sends it', () => {
    expect(narrowScope(['read', 'write', 'offline_access'], granted, [])).toEqual(granted)
  })

  it('refuses what was never asked for', () => {
    expect(refusalOf(() => narrowScope(['read', 'admin'], granted, granted))).toMatchObject({
      code: 'invalid_scope',
      description: 'Scope admin is beyond what was granted',
    })
  })

  it('never exceeds the grant and is never empty', () => {
    fc.assert(
      fc.property(scopes, scopes, (asked, held) => {
        fc.pre(held.length > 0)
        const narrowed = narrowScope(asked, held, asked)
        expect(narrowed.length).toBeGreaterThan(0)
        expect(narrowed.every((scope) => held.includes(scope))).toBe(true)
      }),
    )
  })
})

describe('a hierarchy of scopes (D54)', () => {
  const hierarchy = { account: ['write', 'pay'], write: ['read'] }

  it('includes what the included includes, after what was there', () => {
    expect([...expandScopes(['account'], hierarchy)]).toEqual(['account', 'write', 'pay', 'read'])
    expect([...expandScopes(['pay', 'write'], hierarchy)]).toEqual(['pay', 'write', 'read'])
    expect([...expandScopes(['toString', 'constructor'], hierarchy)]).toHaveLength(2)
  })

  it('lets a refresh ask for the narrower scope, and for none that is not included', () => {
    expect(narrowScope(['read'], ['account'], ['account'], hierarchy)).toEqual(['read'])
    const refused = refusalOf(() => narrowScope(['account'], ['write'], ['write'], hierarchy))
    expect(refused.code).toBe('invalid_scope')
  })

  it('ends for every hierarchy, even a circular one', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd')
    fc.assert(
      fc.property(fc.dictionary(names, fc.array(names)), fc.array(names), (any, from) => {
        const reached = expandScopes(from, any)
        expect(from.every((scope) => reached.has(scope))).toBe(true)
        for (const scope of reached) {
          expect((any[scope] ?? []).every((narrower) => reached.has(narrower))).toBe(true)
        }
      }),
    )
  })
})
