import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileNamePattern, compileUriPattern } from '../../../src/gate/policy/pattern.ts'
import { toUriSpellings } from '../../../src/gate/policy/uri.ts'

describe('patterns', () => {
  it.each([
    ['delete_*', 'delete_note', true],
    ['delete_*', 'delete_', true],
    ['delete_*', 'undelete_note', false],
    ['*_note', 'delete_note', true],
    ['*', '', true],
    ['get', 'get', true],
    ['get', 'gets', false],
    ['a.c', 'abc', false],
    ['a?c', 'abc', false],
    ['tools/*', 'tools/call', true],
  ])('of names: %s for %s is %s', (pattern, name, fits) => {
    expect(compileNamePattern(pattern)(name)).toBe(fits)
  })

  it.each([
    ['file:///a/*', 'file:///a/b', true],
    ['file:///a/*', 'file:///a/b/c', false],
    ['file:///a/**', 'file:///a/b/c', true],
    ['file:///a/*/c', 'file:///a/b/c', true],
    ['file:///**/c', 'file:///a/b/c', true],
    ['file:///**/c*', 'file:///a/b/c/d', false],
    ['db://t', 'db://t?limit=1', true],
    ['db://t?x=*', 'db://t', false],
  ])('of URIs: %s for %s is %s', (pattern, uri, fits) => {
    expect(compileUriPattern(pattern)(uri)).toBe(fits)
  })

  it('fit what a regular expression of the same meaning fits', () => {
    const letters = fc.stringMatching(/^[ab/*]{0,8}$/)
    fc.assert(
      fc.property(letters, fc.stringMatching(/^[ab/]{0,10}$/), (pattern, name) => {
        const source = pattern
          .replace(/\*+/g, (stars) => (stars.length > 1 ? '@' : '[^/]*'))
          .replaceAll('@', '.*')
        expect(compileUriPattern(pattern)(name)).toBe(new RegExp(`^${source}$`, 's').test(name))
      }),
    )
  })

  it('take time in proportion, whatever stands in them (DS-05)', () => {
    const fits = compileNamePattern(`${'*a'.repeat(30)}b`)
    const from = performance.now()
    expect(fits('a'.repeat(1024))).toBe(false)
    expect(performance.now() - from).toBeLessThan(500)
  })
})

it('the spellings of any URI are few, and end', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (uri) => {
      fc.pre(!uri.includes('%00'))
      const spellings = toUriSpellings(uri)
      expect(spellings.length).toBeLessThanOrEqual(12)
      expect(spellings).toContain(uri.toLowerCase().normalize('NFKC'))
    }),
  )
})
