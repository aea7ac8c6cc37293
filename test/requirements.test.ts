/** Holds the table of requirements and the tests together: neither may run ahead of the other. */
import { describe, expect, it } from 'vitest'
import { findCitations, findCited, isCatalogueRow } from './helpers/citations.ts'
import { type Requirement, requirements } from './requirements.ts'

const rows: [string, Requirement][] = Object.entries(requirements)
const citations = findCitations()
const cited = new Set(citations.map(({ id }) => id))

describe('requirements', () => {
  it('each have a test, unless they say which issue brings them', () => {
    const missing = rows.filter(([id, { deferred }]) => !deferred && !cited.has(id))
    expect(missing.map(([id, { behavior }]) => `${id}: ${behavior}`)).toEqual([])
  })

  it('are not called deferred when a test proves them', () => {
    const proven = rows.filter(([id, { deferred }]) => deferred && cited.has(id))
    expect(proven.map(([id]) => id)).toEqual([])
  })

  it('are known wherever a test cites one', () => {
    const unknown = citations.filter(({ id }) => !(id in requirements) && !isCatalogueRow(id))
    expect(unknown).toEqual([])
  })

  it('are sentences without a capital and a full stop', () => {
    const bad = rows.filter(([, { behavior }]) => behavior.endsWith('.') || behavior.length > 100)
    expect(bad.map(([id]) => id)).toEqual([])
  })
})

describe('citations', () => {
  it('are found in calls and at the end of titles', () => {
    const source = [
      `verifies('H1', async () => {})`,
      `verifiesThat('H2', 'at once', async () => {})`,
      `it('refuses a fragment (CR-03)', () => {})`,
      `it.each(cases)('keeps $name (D8, AZ-21)', () => {})`,
      `it('mentions (H7) in the middle only', () => {})`,
    ]
    expect(findCited(source.join('\n'))).toEqual(['H1', 'H2', 'CR-03', 'D8', 'AZ-21'])
  })
})
