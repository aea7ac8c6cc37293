import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { createSortedKeys } from '../../src/storage/sorted-keys.ts'
import { describeStore } from './contract.ts'

describeStore({
  name: 'memoryStore',
  shared: false,
  createPlace: async () => ({ open: async (clock) => memoryStore({ clock }) }),
})

describe('createSortedKeys', () => {
  it('stays sorted through any adding and removing, also beyond one run', () => {
    const step = fc.record({ key: fc.nat(3000), keep: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { minLength: 2000, maxLength: 4000 }), (steps) => {
        const keys = createSortedKeys()
        const model = new Set<string>()
        for (const { key, keep } of steps) {
          const text = String(key)
          if (keep && !model.has(text)) keys.add(text)
          if (!keep) keys.remove(text)
          if (keep) model.add(text)
          else model.delete(text)
        }
        const expected = [...model].sort()
        expect([...keys.from('')]).toEqual(expected)
        expect([...keys.from('15')]).toEqual(expected.filter((key) => key >= '15'))
      }),
      { numRuns: 20, seed: 1 },
    )
  })

  it('empties and fills again', () => {
    const keys = createSortedKeys()
    const all = Array.from({ length: 2000 }, (_, n) => `k${String(n).padStart(4, '0')}`)
    all.forEach(keys.add)
    all.forEach(keys.remove)
    expect([...keys.from('')]).toEqual([])
    all.toReversed().forEach(keys.add)
    expect([...keys.from('')]).toEqual(all)
  })
})
