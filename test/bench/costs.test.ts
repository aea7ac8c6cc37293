/**
 * Pins what each operation costs, by count: speed is designed in, and a round trip, a flush or a signature
 * more is a decision. Whoever changes a number here says in the change why it is worth it.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Costs, type CountedOperation, countCosts } from '../../bench/costs.ts'

let counted: readonly CountedOperation[]

beforeAll(async () => {
  counted = await countCosts()
})

function find(name: string): Costs {
  const costs = counted.find((operation) => operation.name === name)?.costs
  if (!costs) throw new Error(`${name} was not counted`)
  return costs
}

describe('what an operation costs', () => {
  it('register: one commit, nothing read, nothing signed', () => {
    expect(find('register')).toEqual({
      reads: 0,
      keysRead: 0,
      commits: 1,
      keysWritten: 1,
      signatures: 0,
      verifications: 0,
      hashes: 0,
      ciphers: 0,
    })
  })

  it('authorize: one commit for the flow, one for the code, one for the tokens; one signature', () => {
    const { reads, commits, keysWritten, signatures } = find('authorize, again')
    expect({ commits, keysWritten, signatures }).toEqual({
      commits: 3,
      keysWritten: 8,
      signatures: 1,
    })
    expect(reads).toBeLessThanOrEqual(14)
  })

  it('authorize, the first time of a client: the same, and the client is kept for ever', () => {
    const { commits, keysWritten } = find('authorize, first time')
    expect({ commits, keysWritten }).toEqual({ commits: 3, keysWritten: 9 })
  })

  it('refresh: two reads, one commit of one key, one signature', () => {
    const { hashes, ...costs } = find('refresh')
    expect(costs).toEqual({
      reads: 2,
      keysRead: 5,
      commits: 1,
      keysWritten: 1,
      signatures: 1,
      verifications: 0,
      ciphers: 1,
    })
    expect(hashes).toBeLessThanOrEqual(4)
  })

  it('refresh, repeated: one read and nothing written (P3)', () => {
    const { reads, commits, signatures } = find('refresh, repeated')
    expect({ reads, commits, signatures }).toEqual({ reads: 1, commits: 0, signatures: 1 })
  })

  it('proxy: the first use of a token is verified and noted', () => {
    const { reads, commits, signatures, verifications } = find('proxy, first use of a token')
    expect({ reads, commits, signatures, verifications }).toEqual({
      reads: 1,
      commits: 1,
      signatures: 0,
      verifications: 1,
    })
  })

  it('proxy: a token seen before costs one hash and never touches the store', () => {
    expect(find('proxy, token seen before')).toEqual({
      reads: 0,
      keysRead: 0,
      commits: 0,
      keysWritten: 0,
      signatures: 0,
      verifications: 0,
      hashes: 1,
      ciphers: 0,
    })
  })
})
