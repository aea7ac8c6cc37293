/** The files of results are about clients, revisions and steps that there are. */
import { describe, expect, it } from 'vitest'
import { chatgpt } from '../../src/profiles/clients/chatgpt.ts'
import { findProfile, profiles } from '../../src/profiles/registry.ts'
import { expectResults, type Proof, provenSteps, readResults } from './results.ts'

describe.each<Proof>(['emulated', 'real'])('the file of %s results', (proof) => {
  const rows = Object.entries(readResults(proof)).flatMap(([id, reached]) =>
    Object.entries(reached).map(([revision, steps]) => ({ id, revision, steps: steps.split(' ') })),
  )

  it('names clients and revisions that have a profile, and steps in their order', () => {
    for (const { id, revision, steps } of rows) {
      expect(findProfile(id)?.revisions, id).toContain(revision)
      expect(provenSteps.filter((step) => steps.includes(step))).toEqual(steps)
    }
  })
})

describe('a result', () => {
  const { id, revisions } = chatgpt
  const [revision = '2025-11-25'] = revisions
  const written = readResults('emulated')[id]?.[revision]?.split(' ') ?? []
  const reached = provenSteps.filter((step) => written.includes(step))
  const say = (steps: typeof reached) => () => expectResults('emulated', { id, revision }, steps)

  it('is held to the file, whether it is less or more', () => {
    expect(reached.length).toBeGreaterThan(1)
    expect(say(reached)).not.toThrow()
    expect(say(reached.slice(1))).toThrow(`${id} at ${revision}`)
    expect(() => expectResults('emulated', { id: 'nobody', revision }, reached)).toThrow('nobody')
  })
})

describe('the table', () => {
  it('has a row of results for every client in every revision that it speaks', () => {
    const emulated = readResults('emulated')
    const missing = profiles.flatMap(({ id, revisions }) =>
      revisions.filter((one) => emulated[id]?.[one] === undefined).map((one) => `${id} ${one}`),
    )
    expect(missing).toEqual([])
  })
})
