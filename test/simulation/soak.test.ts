/** Months of registrations and grants leave no more behind than what is alive (A5). */
import { describe, expect, it } from 'vitest'
import { hasRedis } from '../helpers/redis.ts'
import { findExcess, type SoakReport, soak } from './soak.ts'
import { soakPlaces } from './soak-places.ts'

/** `npm run soak` does a hundred times as many. */
const registrations = 10_000
const cycles = 10_000
const timeout = 240_000

it('keeps what is alive in memory, and nothing else', { timeout }, async () => {
  const report = await soak({ createPlace: soakPlaces.memory, registrations, cycles })
  expect(findExcess(report)).toEqual([])
})

it('gives the rows and the pages of SQLite back', { timeout }, async () => {
  const report = await soak({ createPlace: soakPlaces.sqlite, registrations, cycles })
  expect(findExcess(report)).toEqual([])
})

it('uses the pages of PostgreSQL again', { timeout }, async () => {
  const report = await soak({ createPlace: soakPlaces.postgres, registrations, cycles })
  expect(findExcess(report)).toEqual([])
})

it.skipIf(!hasRedis)('gives the memory of Redis back', { timeout }, async () => {
  const report = await soak({ createPlace: soakPlaces.redis, registrations, cycles })
  expect(findExcess(report)).toEqual([])
})

describe('findExcess', () => {
  const mebibyte = 2 ** 20
  const right: SoakReport = {
    rows: { expected: 1000, alive: 950, most: 1200, left: 57 },
    size: { half: 100, end: 105, fresh: 98, left: 9 },
    memory: { half: 100 * mebibyte, end: 115 * mebibyte },
  }

  it('finds nothing in what is right, and of a store without a size only rows and memory', () => {
    const sizeless = { half: undefined, end: undefined, fresh: undefined, left: undefined }
    expect(findExcess(right)).toEqual([])
    expect(findExcess({ ...right, size: sizeless })).toEqual([])
  })

  it.each<[string, Partial<SoakReport>, RegExp]>([
    ['rows too many', { rows: { ...right.rows, alive: 1101 } }, /1101 rows instead of 1000/],
    ['rows too few', { rows: { ...right.rows, alive: 899 } }, /899 rows instead of 1000/],
    ['rows left', { rows: { ...right.rows, left: 101 } }, /101 rows when all/],
    ['pages', { size: { ...right.size, fresh: 91 } }, /105 bytes where 91 hold the same/],
    ['growth', { size: { ...right.size, half: 95 } }, /from 95 to 105 bytes/],
    ['pages left', { size: { ...right.size, left: 11 } }, /11 bytes when all/],
    ['memory', { memory: { half: 100 * mebibyte, end: 119 * mebibyte } }, /our memory grew/],
  ])('names %s', (_, wrong, words) => {
    expect(findExcess({ ...right, ...wrong })).toEqual([expect.stringMatching(words)])
  })
})
