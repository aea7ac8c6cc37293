import { describe, expect, it } from 'vitest'
import { sha256, systemRandom } from '../../src/platform/crypto.ts'
import { hashCode, mintCode, parseCode } from '../../src/tokens/authorization-code.ts'
import {
  hashRefreshToken,
  isGenuine,
  mintRefreshToken,
  openSuccessor,
  parseRefreshToken,
  sealSuccessor,
} from '../../src/tokens/refresh-token.ts'
import { refusal } from '../storage/fixtures.ts'
import { createSealedStore } from './fixtures.ts'

const grantId = '_-_-_-_-_-_-_-_-_-_-_-'

const { sealer } = await createSealedStore()
const ports = { sealer, random: systemRandom }

function mint(): string {
  return mintRefreshToken(grantId, ports)
}

describe('refresh tokens', () => {
  it('name their grant, whatever letters its id has', () => {
    for (const id of [grantId, systemRandom(16), systemRandom(16)]) {
      expect(parseRefreshToken(mintRefreshToken(id, ports))).toEqual({ grantId: id })
    }
    expect(mint()).toMatch(/^ghr_[\w-]{89}$/)
    expect(mint()).not.toBe(mint())
  })

  it('are recognised at full length only (CD-15)', () => {
    const token = mint()
    const cut = Array.from(token, (_, length) => token.slice(0, length))
    const odd = [`${token}A`, ` ${token}`, `${token}\n`, token.replace('ghr', 'ghc'), `${token}=`]
    for (const text of [...cut, ...odd, mintCode(systemRandom)]) {
      expect(parseRefreshToken(text)).toBeUndefined()
    }
  })

  it('are told from made-up ones, although anyone may know the grant id (RF-04)', async () => {
    const token = mint()
    expect(isGenuine(token, { sealer })).toBe(true)
    const [secret, tag] = [token.slice(27, 70), token.slice(-22)]
    const others = [
      `ghr_${systemRandom(16)}_${secret}_${tag}`,
      `ghr_${grantId}_${systemRandom(32)}_${tag}`,
      `ghr_${grantId}_${secret}_${systemRandom(16)}`,
      token.slice(0, -1),
      '',
    ]
    for (const text of others) expect(isGenuine(text, { sealer })).toBe(false)
    expect(isGenuine(token, await createSealedStore())).toBe(false)
  })

  it('are not minted for an id of another shape', () => {
    expect(() => mintRefreshToken('short', ports)).toThrow(TypeError)
  })

  it('are stored as the hash of the whole token', () => {
    const token = mint()
    expect(hashRefreshToken(token)).toBe(sha256(token))
  })

  it('give their successor to whoever presents the predecessor, and to nobody else (P3, SG-14)', () => {
    const [presented, successor, other] = [mint(), mint(), mint()]
    const sealed = sealSuccessor(presented, successor, systemRandom)
    expect(openSuccessor(presented, sealed)).toBe(successor)
    expect(sealed).not.toContain(successor.slice(-43))
    const unsealable = expect.objectContaining(refusal('server_error', 'unsealable'))
    for (const wrong of [other, successor, hashRefreshToken(presented), '']) {
      expect(() => openSuccessor(wrong, sealed)).toThrow(unsealable)
    }
    for (const text of ['', 'v1.', sealed.slice(3), sealed.slice(0, -2), `${sealed}.x`]) {
      expect(() => openSuccessor(presented, text)).toThrow(unsealable)
    }
  })

  it('seal with a new nonce each time (SG-13)', () => {
    const [presented, successor] = [mint(), mint()]
    const sealed = Array.from({ length: 100 }, () =>
      sealSuccessor(presented, successor, systemRandom),
    )
    expect(new Set(sealed.map((text) => text.split('.')[1])).size).toBe(100)
  })
})

describe('authorization codes', () => {
  it('are recognised at full length only and stored as a hash (CD-14, CD-15)', () => {
    const code = mintCode(systemRandom)
    expect(code).toMatch(/^ghc_[\w-]{43}$/)
    expect(parseCode(code)).toBe(code)
    expect(hashCode(code)).toBe(sha256(code))
    const cut = Array.from(code, (_, length) => code.slice(0, length))
    for (const text of [...cut, `${code}A`, `${code}\n`, ` ${code}`, mint(), mint().slice(0, 47)]) {
      expect(parseCode(text)).toBeUndefined()
    }
  })
})
