import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBasic } from '../../src/oauth/basic.ts'

const toHeader = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('Basic client authentication', () => {
  it('reads id and secret once when they mean the same raw and decoded', () => {
    expect(parseBasic(toHeader('mcp_abc:s3cret-_'))).toEqual([
      { id: 'mcp_abc', secret: 's3cret-_' },
    ])
    expect(parseBasic(toHeader('a:b:c'))).toEqual([{ id: 'a', secret: 'b:c' }])
    expect(parseBasic(toHeader('a:'))).toEqual([{ id: 'a', secret: '' }])
    expect(parseBasic(toHeader('a:b').replace('Basic', 'bAsIc'))).toHaveLength(1)
  })

  it('offers the raw reading first and the percent-decoded one beside it', () => {
    expect(parseBasic(toHeader('a%3Ab:p%2Bq+r'))).toEqual([
      { id: 'a%3Ab', secret: 'p%2Bq+r' },
      { id: 'a:b', secret: 'p+q r' },
    ])
  })

  it('keeps to the raw reading when the other one is impossible', () => {
    expect(parseBasic(toHeader('a:100%'))).toEqual([{ id: 'a', secret: '100%' }])
    expect(parseBasic(toHeader('a:%00'))).toEqual([{ id: 'a', secret: '%00' }])
  })

  it.each([
    null,
    'Bearer abc',
    'Basic',
    'Basic ',
    'Basic !!!',
    'Basic YTpi YTpi',
    'Basic YTpi, Basic YTpi',
    toHeader('no colon'),
    toHeader(':secret'),
    toHeader('a:b\n'),
    toHeader('a:\0'),
    'Basic 6Tr/',
  ])('reads nothing from %j', (header) => {
    expect(parseBasic(header)).toEqual([])
  })

  it('reads no more than 8 KB', () => {
    expect(parseBasic(toHeader(`a:${'b'.repeat(6000)}`))).toHaveLength(1)
    expect(parseBasic(toHeader(`a:${'b'.repeat(6200)}`))).toEqual([])
  })

  it('understands clients that encode and clients that do not', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aZ0-_%+:/=é ~'), minLength: 1 })
    fc.assert(
      fc.property(text, text, (id, secret) => {
        const encoded = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`
        expect(parseBasic(toHeader(encoded))).toContainEqual({ id, secret })
        fc.pre(!id.includes(':'))
        expect(parseBasic(toHeader(`${id}:${secret}`))).toContainEqual({ id, secret })
      }),
    )
  })
})
