import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/errors.ts'
import { parseForm, parseQuery, verifyFormContentType } from '../../src/oauth/params.ts'
import { refusalOf } from './refusal.ts'

describe('parameters', () => {
  it('decodes names and values, plus signs included', () => {
    const params = parseForm('grant_type=authorization_code&n%61me=a+b%2Bc%26%C3%A9')
    expect(params.get('grant_type')).toBe('authorization_code')
    expect(params.get('name')).toBe('a b+c&é')
  })

  it('takes an empty value for an absent one and ignores unknown names (AZ-11, TK-04)', () => {
    const params = parseForm('scope=&state&unknown=1&code=x')
    expect(params.get('scope')).toBeUndefined()
    expect(params.has('state')).toBe(false)
    expect(params.has('code')).toBe(true)
    expect(refusalOf(() => params.required('scope'))).toMatchObject({
      code: 'invalid_request',
      description: 'Parameter "scope" is missing',
    })
  })

  it('refuses to read a repeated parameter, and names it (AZ-10, TK-03)', () => {
    const params = parseForm('client_id=a&client_id=b&state=s&state=s&code=x')
    for (const read of [() => params.get('client_id'), () => params.required('client_id')]) {
      expect(refusalOf(read)).toMatchObject({
        code: 'invalid_request',
        description: 'Parameter "client_id" is given more than once',
      })
    }
    expect(() => params.get('state')).toThrow(OAuthError)
    expect(params.get('code')).toBe('x')
  })

  it('hands out every value of a parameter that may repeat', () => {
    const params = parseForm('resource=a&resource=&resource=a&resource=b')
    expect(params.all('resource')).toEqual(['a', 'a', 'b'])
    expect(params.all('none')).toEqual([])
  })

  it('knows no array syntax (TK-03)', () => {
    const params = parseForm('code[]=a&code[0]=b&__proto__=p&constructor=c')
    expect(params.get('code')).toBeUndefined()
    expect(params.get('code[]')).toBe('a')
    expect(params.get('__proto__')).toBe('p')
    expect(params.get('toString')).toBeUndefined()
  })

  it.each(['code=%00', 'co%00de=x', 'code=%ff', 'code=%C3', 'code=%ED%A0%80', 'code=\ud800'])(
    'refuses what is not text: %j (TK-18)',
    (body) => {
      expect(refusalOf(() => parseForm(body)).code).toBe('invalid_request')
    },
  )

  it('takes a stray percent sign for itself', () => {
    expect(parseForm('state=100%&code=%zz').get('state')).toBe('100%')
    expect(parseForm('state=100%&code=%zz').get('code')).toBe('%zz')
  })

  it('takes a hundred parameters and no more', () => {
    const names = Array.from({ length: 101 }, (_, index) => `p${index}=1`)
    expect(parseForm(names.slice(1).join('&')).get('p100')).toBe('1')
    expect(refusalOf(() => parseForm(names.join('&'))).code).toBe('invalid_request')
  })

  it('reads a query with and without its question mark', () => {
    expect(parseQuery('?a=1').get('a')).toBe('1')
    expect(parseQuery('a=1').get('a')).toBe('1')
    expect(parseQuery('').has('a')).toBe(false)
    expect(parseQuery('??a=1').get('?a')).toBe('1')
  })

  it('reads back whatever a browser would write', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !/[\0\uFFFD]/.test(s))
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([n]) => n }), (pairs) => {
        const params = parseForm(new URLSearchParams(pairs).toString())
        for (const [name, value] of pairs) expect(params.required(name)).toBe(value)
      }),
    )
  })

  it('never fails with anything but an OAuthError', () => {
    const junk = fc.string({ unit: fc.constantFrom(...'%&=+[]0fFzZé\0\ud800 ?;') })
    fc.assert(
      fc.property(junk, (body) => {
        try {
          parseForm(body)
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError)
        }
      }),
    )
  })
})

describe('form content type', () => {
  it.each([
    'application/x-www-form-urlencoded',
    'Application/X-WWW-Form-URLencoded',
    'application/x-www-form-urlencoded; charset=UTF-8',
    'application/x-www-form-urlencoded ;charset=utf-8',
  ])('accepts %s (CN-06)', (type) => {
    expect(() => verifyFormContentType(type)).not.toThrow()
  })

  it.each([
    null,
    '',
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=application/x-www-form-urlencoded',
    'text/plain; application/x-www-form-urlencoded',
    'application/x-www-form-urlencodedx',
    'application/x-www-form-urlencoded, text/plain',
  ])('refuses %j with 415 (TK-02, CN-06)', (type) => {
    expect(refusalOf(() => verifyFormContentType(type))).toMatchObject({
      code: 'invalid_request',
      status: 415,
    })
  })
})
