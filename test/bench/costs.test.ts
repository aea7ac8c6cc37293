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

const nothing: Costs = {
  reads: 0,
  keysRead: 0,
  commits: 0,
  keysWritten: 0,
  signatures: 0,
  verifications: 0,
  hashes: 0,
  ciphers: 0,
}

function find(name: string): Costs {
  const costs = counted.find((operation) => operation.name === name)?.costs
  if (!costs) throw new Error(`${name} was not counted`)
  return costs
}

describe('what an operation costs', () => {
  it('register: one commit, nothing read, nothing signed, one token hashed', () => {
    expect(find('register')).toEqual({ ...nothing, commits: 1, keysWritten: 1, hashes: 2 })
  })

  it('authorize: one commit for the flow, one for the code, one for the tokens; one signature', () => {
    const { reads, keysRead, commits, keysWritten, signatures } = find('authorize')
    expect({ commits, keysWritten, signatures }).toEqual({
      commits: 3,
      keysWritten: 8,
      signatures: 1,
    })
    expect(reads).toBeLessThanOrEqual(8)
    expect(keysRead).toBeLessThanOrEqual(9)
  })

  it('authorize, the first time of a client: the same, and the client is kept for ever', () => {
    const { commits, keysWritten } = find('authorize, first time')
    expect({ commits, keysWritten }).toEqual({ commits: 3, keysWritten: 9 })
  })

  it('a code: one read, one commit, one signature', () => {
    const { reads, commits, signatures, ciphers } = find('authorize: POST /token')
    expect({ reads, commits, signatures, ciphers }).toEqual({
      reads: 1,
      commits: 1,
      signatures: 1,
      ciphers: 0,
    })
  })

  it('refresh: one read, one commit of one key, one signature', () => {
    const { hashes, ...costs } = find('refresh')
    expect({ ...costs, hashes: 0 }).toEqual({
      ...nothing,
      reads: 1,
      keysRead: 4,
      commits: 1,
      keysWritten: 1,
      signatures: 1,
      ciphers: 1,
    })
    expect(hashes).toBeLessThanOrEqual(4)
  })

  it('refresh, repeated: nothing written (P3)', () => {
    const { reads, commits, signatures } = find('refresh, repeated')
    expect({ reads, commits, signatures }).toEqual({ reads: 2, commits: 0, signatures: 1 })
  })

  it('gate: the first use of a token is verified and noted', () => {
    const { reads, commits, signatures, verifications } = find('gate, first use of a token')
    expect({ reads, commits, signatures, verifications }).toEqual({
      reads: 1,
      commits: 1,
      signatures: 0,
      verifications: 1,
    })
  })

  it('gate: a token seen before costs one hash and never touches the store', () => {
    expect(find('gate, token seen before')).toEqual({ ...nothing, hashes: 1 })
  })

  it.each(['metadata', 'JWKS'])('%s: nothing', (name) => {
    expect(find(name)).toEqual(nothing)
  })
})
