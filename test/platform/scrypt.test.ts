import { describe, expect, it, vi } from 'vitest'
import { hashPassword, verifyPassword } from '../../src/platform/scrypt.ts'

vi.unmock('../../src/platform/scrypt.ts')

describe('passwords', { timeout: 30_000 }, () => {
  it('are stored as a salted scrypt hash that says what it cost', async () => {
    const [first, second] = await Promise.all([hashPassword('secret'), hashPassword('secret')])
    expect(first).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
    expect(second).not.toBe(first)
    expect(await verifyPassword('secret', first)).toBe(true)
    expect(await verifyPassword('Secret', first)).toBe(false)
  })

  it('are checked at the cost they were hashed with (RFC 7914 §12)', async () => {
    const salt = Buffer.from('NaCl').toString('base64url')
    const vector = 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162'
    const hash = Buffer.from(vector, 'hex').toString('base64url')
    expect(await verifyPassword('password', `scrypt$1024$8$16$${salt}$${hash}`)).toBe(true)
  })

  it('of nobody cost as much as of somebody, and are always wrong', async () => {
    const stored = await hashPassword('secret')
    const measure = async (hash: string | undefined) => {
      const before = process.cpuUsage()
      expect(await verifyPassword('wrong', hash)).toBe(false)
      return process.cpuUsage(before).user
    }
    const [somebody, nobody] = [await measure(stored), await measure(undefined)]
    expect(nobody).toBeGreaterThan(somebody / 3)
    expect(await verifyPassword('', undefined)).toBe(false)
  })

  it('of one network are looked at although another fills the line (DS-06)', async () => {
    const cheap = `scrypt$2$1$1$${'s'.repeat(22)}$${'h'.repeat(43)}`
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const attempt = (network: string) =>
      verifyPassword('guess', cheap, { network, onTurn: () => gate }).then(
        () => 'looked at',
        (error: { status: number; reason: string }) => `${error.status} ${error.reason}`,
      )
    const flood = Array.from({ length: 60 }, () => attempt('203.0.113.9'))
    const honest = attempt('198.51.100.7')
    open()
    expect(await honest).toBe('looked at')
    const outcomes = await Promise.all(flood)
    expect(outcomes.filter((outcome) => outcome === '503 passwords_busy')).toHaveLength(27)
    expect(outcomes.filter((outcome) => outcome === 'looked at')).toHaveLength(33)
  })

  it('are not verified against something else', async () => {
    await expect(verifyPassword('secret', 'bcrypt$x')).rejects.toThrow(TypeError)
  })
})
