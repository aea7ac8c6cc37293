import { expect, it } from 'vitest'
import { joinReads } from '../../src/storage/joined-reads.ts'

const toEntry = (key: string) => ({ key, value: `value of ${key}`, version: 1 })

function createRecorded(fails = false) {
  const journeys: (readonly string[])[] = []
  const read = joinReads(async (keys) => {
    journeys.push(keys)
    if (fails) throw new Error('down')
    return keys.map((key) => (key.startsWith('no') ? undefined : toEntry(key)))
  })
  return { journeys, read }
}

it('sends what is asked for in one turn together, each key once, and gives everyone their own (X12)', async () => {
  const { journeys, read } = createRecorded()
  const answers = await Promise.all([read(['a', 'none']), read(['b', 'a']), read([])])
  expect(answers).toEqual([[toEntry('a'), undefined], [toEntry('b'), toEntry('a')], []])
  expect(journeys).toEqual([['a', 'none', 'b']])
})

it('begins another journey for what is asked for later', async () => {
  const { journeys, read } = createRecorded()
  await read(['a'])
  await read(['a'])
  expect(journeys).toEqual([['a'], ['a']])
})

it('splits what is too much for one journey', async () => {
  const { journeys, read } = createRecorded()
  const keys = Array.from({ length: 200 }, (_, n) => `key-${n}`)
  await Promise.all([read(keys), read(['x']), read(keys.map((key) => `other-${key}`))])
  expect(journeys.map((journey) => journey.length)).toEqual([201, 200])
})

it('fails for everyone on a journey that fails (SG-18)', async () => {
  const { read } = createRecorded(true)
  const outcomes = await Promise.allSettled([read(['a']), read(['b'])])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
