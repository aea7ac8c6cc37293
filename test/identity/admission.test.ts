import { describe, expect, it } from 'vitest'
import { createAdmission } from '../../src/identity/admission.ts'

const person = { subject: '1', login: 'Octocat', email: 'Octo@Corp.example', emailVerified: true }
const refused = { allowed: false, account: 'Octocat' }

describe('admission', () => {
  it('lets everyone in without rules, and nobody by an empty list', () => {
    expect(createAdmission({})(person)).toEqual({ allowed: true })
    expect(createAdmission({ logins: [] })(person)).toEqual(refused)
  })

  it('goes by login, whatever its case', () => {
    expect(createAdmission({ logins: ['octocat'] })(person)).toEqual({ allowed: true })
    expect(createAdmission({ logins: ['octocat2'] })(person)).toEqual(refused)
  })

  it('goes by e-mail address and exact domain (UP-09)', () => {
    expect(createAdmission({ emails: ['octo@corp.example'] })(person)).toEqual({ allowed: true })
    expect(createAdmission({ domains: ['CORP.example'] })(person)).toEqual({ allowed: true })
    expect(createAdmission({ domains: ['example'] })(person)).toEqual(refused)
    const below = { ...person, email: 'octo@sub.corp.example' }
    expect(createAdmission({ domains: ['corp.example'] })(below)).toEqual(refused)
    const beside = { ...person, email: 'octo@evilcorp.example' }
    expect(createAdmission({ domains: ['corp.example'] })(beside)).toEqual(refused)
  })

  it.each([
    'a@evil.com@corp.example',
    'a@corp.example.',
    'a＠evil.com@corp.example',
    'corp.example',
  ])('is not walked around with %s (UP-09)', (email) => {
    expect(createAdmission({ domains: ['corp.example'] })({ ...person, email })).toEqual(refused)
  })

  it('compares internationalised domains as A-labels (UP-09)', () => {
    const admission = createAdmission({ domains: ['bücher.example'] })
    expect(admission({ ...person, email: 'a@xn--bcher-kva.example' })).toEqual({ allowed: true })
    expect(admission({ ...person, email: 'a@bucher.example' })).toEqual(refused)
  })

  it('does not believe an address that nobody verified (UP-08)', () => {
    const rules = { emails: ['octo@corp.example'], domains: ['corp.example'] }
    expect(createAdmission(rules)({ ...person, emailVerified: false })).toEqual(refused)
    const silent = { ...person, emailVerified: undefined }
    expect(createAdmission(rules)(silent)).toEqual(refused)
  })

  it('says at once which rule is malformed', () => {
    expect(() => createAdmission({ domains: ['@corp.example'] })).toThrow(TypeError)
    expect(() => createAdmission({ emails: ['corp.example'] })).toThrow(TypeError)
  })
})
