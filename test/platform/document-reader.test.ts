import { describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { createDocumentReader } from '../../src/platform/document-reader.ts'
import type { FetchDocument } from '../../src/platform/pinned-fetch.ts'
import { noLimits, testClock } from '../helpers/gatehouse.ts'

const url = 'https://client.example/c'

/** A fetch that answers when it is told to. */
function createFetch() {
  const asked: string[] = []
  let answer: Awaited<ReturnType<FetchDocument>> = { text: '{}' }
  const gate = Promise.withResolvers<void>()
  const fetchDocument: FetchDocument = async (at) => {
    asked.push(at)
    await gate.promise
    return answer
  }
  return {
    asked,
    fetchDocument,
    open: () => gate.resolve(),
    answerWith: (next: typeof answer) => {
      answer = next
    },
  }
}

describe('reading in moderation', () => {
  it('asks once for all who ask at the same time, and again for the next (CM-20)', async () => {
    const { asked, fetchDocument, open } = createFetch()
    const reader = createDocumentReader({ fetchDocument, limits: noLimits, clock: testClock() })
    const all = Promise.all(Array.from({ length: 50 }, (_, at) => reader.read(url, `10.0.0.${at}`)))
    open()
    expect(new Set(await all)).toEqual(new Set([{ text: '{}' }]))
    expect(asked).toEqual([url])
    await reader.read(url, '10.0.0.1')
    expect(asked).toHaveLength(2)
  })

  it('spends nothing for those who join (CM-24)', async () => {
    const { fetchDocument, open } = createFetch()
    const limits = createLimits({ overrides: { document: { points: 1, seconds: 60 } } })
    const reader = createDocumentReader({ fetchDocument, limits, clock: testClock() })
    const first = reader.read(url, 'net')
    await new Promise(setImmediate)
    const others = Promise.all([reader.read(url, 'net'), reader.read(url, 'net')])
    open()
    expect(await first).toEqual({ text: '{}' })
    expect(await others).toHaveLength(2)
  })

  it('never mixes two addresses up, however alike (CM-20)', async () => {
    const { asked, fetchDocument, open } = createFetch()
    const reader = createDocumentReader({ fetchDocument, limits: noLimits, clock: testClock() })
    const others = [url, `${url}/`, `${url}?`, `${url}?c`, 'https://client.example:8443/c']
    const all = Promise.all(others.map((one) => reader.read(one, 'net')))
    open()
    await all
    expect(asked.toSorted()).toEqual(others.toSorted())
  })

  it('repeats a failure for 30 seconds, and no longer (CM-18)', async () => {
    const { asked, fetchDocument, open, answerWith } = createFetch()
    const clock = testClock()
    const reader = createDocumentReader({ fetchDocument, limits: noLimits, clock })
    open()
    answerWith({ problem: 'connection' })
    await reader.read(url, 'net')
    clock.advance(29)
    expect(await reader.read(url, 'net')).toEqual({ problem: 'connection' })
    expect(asked).toHaveLength(1)
    clock.advance(1)
    answerWith({ text: '{}' })
    expect(await reader.read(url, 'net')).toEqual({ text: '{}' })
  })

  it('repeats that a document was of no use, too (CM-18)', async () => {
    const { asked, fetchDocument, open } = createFetch()
    const clock = testClock()
    const reader = createDocumentReader({ fetchDocument, limits: noLimits, clock })
    open()
    await reader.read(url, 'net')
    reader.dismiss(url)
    expect(await reader.read(url, 'net')).toEqual({ problem: 'body' })
    clock.advance(30)
    expect(await reader.read(url, 'net')).toEqual({ text: '{}' })
    expect(asked).toHaveLength(2)
  })

  it('takes a reader of an embedder that fails for one that cannot read', async () => {
    const fetchDocument: FetchDocument = async () => Promise.reject(new Error('No route'))
    const reader = createDocumentReader({ fetchDocument, limits: noLimits, clock: testClock() })
    expect(await reader.read(url, 'net')).toEqual({
      problem: 'connection',
      detail: 'Error: No route',
    })
  })

  const requests: [string, (at: number) => [string, string]][] = [
    ['one network has read', (at) => [`https://c${at}.example/c`, 'net']],
    ['one host is asked for', (at) => [`${url}/${at}`, `10.0.${at}.1`]],
  ]
  it.each(requests)('limits what %s (CM-21)', async (_, toRequest) => {
    const { asked, fetchDocument, open } = createFetch()
    open()
    const limits = createLimits({ overrides: { document: { points: 3, seconds: 60 } } })
    const reader = createDocumentReader({ fetchDocument, limits, clock: testClock() })
    for (const at of [1, 2, 3]) await reader.read(...toRequest(at))
    await expect(reader.read(...toRequest(4))).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      status: 429,
      reason: 'limit_document',
    })
    expect(asked).toHaveLength(3)
  })
})
