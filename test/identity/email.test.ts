import { describe, expect, it } from 'vitest'
import { parseDomain, parseEmail } from '../../src/identity/email.ts'

describe('parseEmail', () => {
  it.each([
    ['ada@example.com', 'ada@example.com'],
    ['  Ada.Lovelace+x@EXAMPLE.com ', 'ada.lovelace+x@example.com'],
    ['ada＠ｅxample.com', 'ada@example.com'],
    ['ada@exam．ple', 'ada@exam.ple'],
    ['Éva@example.com', 'éva@example.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@localhost', 'ada@localhost'],
  ])('brings %s to one spelling (UP-09)', (text, email) => {
    expect(parseEmail(text)).toBe(email)
  })

  it.each([
    '',
    '@',
    'ada',
    'ada@',
    '@example.com',
    'a@evil.com@corp.com',
    'a＠evil.com@corp.com',
    'ada@corp.com.',
    'ada@.corp.com',
    'ada@corp..com',
    'ada@corp.com/x',
    'ada@corp.com:80',
    'ada@corp.com#x',
    'ada@user:pw.corp.com',
    'ada@corp.com\u200b',
    'ada@127.0.0.1',
    'ada@127.1',
    'ada@0x7f',
    'ada@[::1]',
    'a b@corp.com',
    'a\r\nbcc:x@corp.com',
    '"a"@corp.com',
    'a\u202eb@corp.com',
    '\ufb01ona@corp.com',
    '\uff41da@corp.com',
    'ada\u00b2@corp.com',
    '\u212aim@corp.com',
    'ad\u017f@corp.com',
    'e\u0301va@corp.com',
    `${'x'.repeat(250)}@corp.com`,
    `ada@${'x'.repeat(64)}.com`,
  ])('refuses %j (UP-09)', (text) => {
    expect(parseEmail(text)).toBeUndefined()
  })

  it('is not slow with long texts (DS-05)', () => {
    const started = performance.now()
    parseEmail(`ada@${'a-'.repeat(50_000)}`)
    parseEmail(`ada@${'a.'.repeat(50_000)}`)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('parseDomain', () => {
  it('yields lower-case A-labels', () => {
    expect(parseDomain(' Bücher.Example ')).toBe('xn--bcher-kva.example')
    expect(parseDomain('a@b.example')).toBeUndefined()
  })
})
