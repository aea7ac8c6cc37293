import { describe, expect, it } from 'vitest'
import { type CacheFields, toFreshSeconds, toKeptSeconds } from '../../src/platform/freshness.ts'

const cases: [string, CacheFields, number | undefined][] = [
  ['nothing said', {}, undefined],
  ['directives that do not say', { 'cache-control': 'public, immutable' }, undefined],
  ['max-age', { 'cache-control': 'max-age=600' }, 600],
  ['max-age less its age', { 'cache-control': 'public, max-age=600', age: '500' }, 100],
  ['older than its max-age', { 'cache-control': 'max-age=600', age: '601' }, 0],
  ['s-maxage before max-age', { 'cache-control': 'max-age=600, s-maxage=0' }, 0],
  ['quoted', { 'cache-control': 'Max-Age="60"' }, 60],
  ['no-store', { 'cache-control': 'no-store, max-age=600' }, 0],
  ['no-cache for one field', { 'cache-control': 'no-cache="set-cookie, age", max-age=600' }, 0],
  ['private', { 'cache-control': 'private, max-age=600' }, 0],
  ['said twice', { 'cache-control': 'max-age=600, max-age=10' }, 0],
  ['no number', { 'cache-control': 'max-age=ten' }, 0],
  ['negative', { 'cache-control': 'max-age=-1' }, 0],
  ['no directive', { 'cache-control': 'max-age = 600' }, 0],
  ['an age that is no number', { 'cache-control': 'max-age=600', age: 'x' }, 0],
  [
    'Expires',
    { date: 'Sat, 21 Nov 2026 08:00:00 GMT', expires: 'Sat, 21 Nov 2026 08:10:00 GMT' },
    600,
  ],
  ['Expires of 0', { date: 'Sat, 21 Nov 2026 08:00:00 GMT', expires: '0' }, 0],
  ['Expires without Date', { expires: 'Sat, 21 Nov 2026 08:10:00 GMT' }, 0],
]

describe('how long an answer holds (RFC 9111 §4.2, CM-18)', () => {
  it.each(cases)('%s', (_, fields, expected) => {
    expect(toFreshSeconds(fields)).toBe(expected)
  })
})

describe('how long an answer is kept (CM-18)', () => {
  const limits = { leastSeconds: 60, mostSeconds: 600, usualSeconds: 300 }
  it.each([
    ['as long as its server says', 120, 120],
    ['no shorter', 0, 60],
    ['no longer', 601, 600],
    ['the usual time where it does not say', undefined, 300],
  ])('%s', (_, said, expected) => {
    expect(toKeptSeconds(said, limits)).toBe(expected)
  })
})
