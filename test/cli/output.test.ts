import { describe, expect, it } from 'vitest'
import { renderJson, renderTable } from '../../src/cli/output.ts'
import { findSimilar } from '../../src/operate/similar.ts'

describe('a table', () => {
  it('is aligned, without white space at the ends', () => {
    expect(
      renderTable([
        ['ID', 'NAME'],
        ['1', 'Ada'],
        ['1000', ''],
      ]),
    ).toBe('ID    NAME\n1     Ada\n1000')
  })

  it('counts wide characters and combining marks as the terminal does', () => {
    expect(
      renderTable([
        ['日本', 'x'],
        ['e\u0301', 'y'],
        ['abcd', 'z'],
      ]),
    ).toBe('日本  x\ne\u0301     y\nabcd  z')
  })

  it('shortens the widest columns until it fits', () => {
    const table = renderTable([['ID', 'a'.repeat(60), 'b'.repeat(20)]], 50)
    expect(table).toHaveLength(50)
    expect(table).toMatch(/^ID {2}a+… {2}b+$/)
  })

  it('writes out what could disturb the terminal (DS-12)', () => {
    const table = renderTable([['\u001b[2Jevil\n', '\u202egpj']])
    expect(table).toBe('\\u001b[2Jevil\\u000a  \\u202egpj')
  })
})

describe('JSON', () => {
  it('says the same to programs and nothing to the terminal (DS-12)', () => {
    const value = { name: 'a\u009b2J\u202eb\u001b[2J', plain: 'Müller 日本 ✔' }
    const text = renderJson(value)
    expect(JSON.parse(text)).toEqual(value)
    expect(text).toContain('a\\u009b2J\\u202eb\\u001b[2J')
    expect(text).toContain('Müller 日本 ✔')
  })
})

describe('a similar word', () => {
  it.each([
    ['prot', 'port'],
    ['GATEHOUSE_PROT', 'GATEHOUSE_PORT'],
    ['xyzzy', undefined],
    ['id', undefined],
  ])('for %s is %s', (word, similar) => {
    expect(findSimilar(word, ['port', 'to', 'GATEHOUSE_PORT', 'host'])).toBe(similar)
  })
})
