import { describe, expect, it } from 'vitest'
import { type AdmissionRules, createAdmission } from '../../src/identity/admission.ts'
import { admit } from '../../src/identity/admit.ts'
import type { Identity, Memberships } from '../../src/identity/upstream.ts'

const person: Identity = {
  subject: '1',
  login: 'Octocat',
  email: 'Octo@Corp.example',
  emailVerified: true,
}
const allowed = { allowed: true }
const account = 'Octocat (Octo@Corp.example)'
const refused = { allowed: false, account, reason: 'not_admitted', undecided: [] }

const judge = (rules: AdmissionRules, changes: Partial<Identity> = {}) =>
  createAdmission(rules)({ ...person, ...changes })

/** The reason of a refusal, or `allowed`. */
const tell = (rules: AdmissionRules, memberships?: Memberships) => {
  const verdict = judge(rules, memberships === undefined ? {} : { memberships })
  return verdict.allowed ? 'allowed' : verdict.reason
}

describe('admission', () => {
  it('lets everyone in without rules, and nobody by an empty list', () => {
    expect(judge({})).toEqual(allowed)
    expect(judge({ match: 'all' })).toEqual(allowed)
    expect(judge({ logins: [] })).toEqual(refused)
    expect(judge({ logins: [], match: 'all' })).toEqual(refused)
  })

  it('goes by login, whatever its case', () => {
    expect(judge({ logins: ['octocat'] })).toEqual(allowed)
    expect(judge({ logins: ['octocat2'] })).toEqual(refused)
    // The Kelvin sign is no k, though its lower case is one: another account.
    expect(judge({ logins: ['kate'] }, { login: '\u212aate' }).allowed).toBe(false)
    expect(judge({ logins: ['ünal'] }, { login: 'Ünal' })).toEqual(allowed)
  })

  it('goes by e-mail address and exact domain (UP-09)', () => {
    expect(judge({ emails: ['octo@corp.example'] })).toEqual(allowed)
    expect(judge({ domains: ['CORP.example'] })).toEqual(allowed)
    expect(judge({ domains: ['example'] })).toEqual(refused)
    expect(judge({ domains: ['corp.example'] }, { email: 'o@sub.corp.example' }).allowed).toBe(
      false,
    )
    expect(judge({ domains: ['corp.example'] }, { email: 'o@evilcorp.example' }).allowed).toBe(
      false,
    )
  })

  it.each([
    'a@evil.com@corp.example',
    'a@corp.example.',
    'a＠evil.com@corp.example',
    'corp.example',
  ])('is not walked around with %s (UP-09)', (email) => {
    expect(judge({ domains: ['corp.example'] }, { email })).toMatchObject({
      reason: 'not_admitted',
    })
  })

  it('compares internationalised domains as A-labels (UP-09)', () => {
    const rules = { domains: ['bücher.example'] }
    expect(judge(rules, { email: 'a@xn--bcher-kva.example' })).toEqual(allowed)
    expect(judge(rules, { email: 'a@bucher.example' }).allowed).toBe(false)
  })

  it('does not believe an address that nobody verified (UP-08)', () => {
    const rules = { emails: ['octo@corp.example'], domains: ['corp.example'] }
    expect(judge(rules, { emailVerified: false })).toEqual(refused)
    expect(judge({ ...rules, match: 'all' }, { emailVerified: false })).toEqual(refused)
  })

  it('does not know of an address whether somebody verified it, when the provider does not say (UP-08)', () => {
    const { emailVerified: _, ...silent } = person
    expect(createAdmission({ domains: ['corp.example'] })(silent)).toEqual({
      ...refused,
      reason: 'admission_unknown',
      undecided: ['domains'],
    })
  })

  it('names the account by login and e-mail address, once when they are the same', () => {
    const named = judge({ logins: [] }, { login: 'a@b.example', email: 'a@b.example' })
    expect(named).toMatchObject({ account: 'a@b.example' })
  })
})

describe('rules about memberships', () => {
  const memberships: Memberships = {
    organizations: ['Corp'],
    teams: ['Corp/Night-Watch'],
    tenant: 'a1b2',
    claims: {
      groups: ['staff', 'admins'],
      role: 'editor',
      level: 7,
      beta: true,
      'https://corp.example/roles': ['reader'],
      'realm_access.roles': ['flat'],
      realm_access: { roles: ['nested'] },
      empty: [],
      mixed: ['staff', {}],
    },
  }

  it.each<[AdmissionRules]>([
    [{ organizations: ['corp'] }],
    [{ teams: ['corp/night-watch'] }],
    [{ tenants: ['other', 'a1b2'] }],
    [{ claims: { groups: 'admins' } }],
    [{ claims: { groups: ['nobody', 'staff'] } }],
    [{ claims: { role: 'editor' } }],
    [{ claims: { level: '7' } }],
    [{ claims: { beta: 'true' } }],
    [{ claims: { 'https://corp.example/roles': 'reader' } }],
    [{ claims: { 'realm_access.roles': 'flat' } }],
  ])('admit: %j', (rules) => {
    expect(tell(rules, memberships)).toBe('allowed')
  })

  it.each<[AdmissionRules]>([
    [{ organizations: ['corp2'] }],
    [{ teams: ['corp/day-watch'] }],
    [{ tenants: ['A1B2'] }],
    [{ claims: { groups: 'Staff' } }],
    [{ claims: { groups: 'staf' } }],
    [{ claims: { role: 'edit' } }],
    [{ claims: { empty: 'staff' } }],
    [{ claims: { groups: [] } }],
    [{ claims: { 'realm_access.roles': 'nested' } }],
  ])('do not admit: %j', (rules) => {
    expect(tell(rules, memberships)).toBe('not_admitted')
  })

  it.each<[AdmissionRules, string]>([
    [{ claims: { realm_access: 'nested' } }, 'claims.realm_access'],
    [{ claims: { mixed: 'staff' } }, 'claims.mixed'],
    [{ claims: { roles: 'admin' } }, 'claims.roles'],
    [{ claims: { constructor: 'Object' } }, 'claims.constructor'],
  ])('cannot be decided about claims that are not said, or are no texts: %j', (rules, name) => {
    expect(judge(rules, { memberships })).toMatchObject({
      reason: 'admission_unknown',
      undecided: [name],
    })
  })

  it.each<[AdmissionRules]>([
    [{ organizations: ['corp'] }],
    [{ teams: ['corp/a'] }],
    [{ tenants: ['t'] }],
    [{ claims: { groups: 'staff' } }],
  ])('never admit by silence: %j', (rules) => {
    for (const silent of [undefined, {}]) {
      expect(tell(rules, silent)).toBe('admission_unknown')
      expect(tell({ deny: rules }, silent)).toBe('admission_unknown')
    }
  })
})

describe('several rules', () => {
  const said = (groups: string[], organizations?: string[]): Memberships => ({
    ...(organizations && { organizations }),
    claims: { groups },
  })
  const both = { organizations: ['corp'], claims: { groups: 'staff' } }

  it.each<['any' | 'all' | undefined, Memberships, string]>([
    [undefined, said(['staff'], ['corp']), 'allowed'],
    ['any', said(['staff'], ['corp']), 'allowed'],
    ['any', said(['staff'], []), 'allowed'],
    ['any', said(['staff']), 'allowed'],
    ['any', said([], []), 'not_admitted'],
    ['any', said([]), 'admission_unknown'],
    ['all', said(['staff'], ['corp']), 'allowed'],
    ['all', said(['staff'], []), 'not_admitted'],
    ['all', said([], ['corp']), 'not_admitted'],
    ['all', said(['staff']), 'admission_unknown'],
    ['all', said([]), 'not_admitted'],
  ])('with match %s and %j: %s', (match, memberships, outcome) => {
    expect(tell({ ...both, match }, memberships)).toBe(outcome)
  })

  it('count each claim as a rule of its own', () => {
    const claims = { groups: 'staff', role: 'editor' }
    const memberships = { claims: { groups: ['staff'], role: 'reader' } }
    expect(tell({ claims }, memberships)).toBe('allowed')
    expect(tell({ claims, match: 'all' }, memberships)).toBe('not_admitted')
  })

  it.each<['any' | 'all']>([['any'], ['all']])('are overruled by deny, with match %s', (match) => {
    const memberships = said(['staff', 'contractors'], ['corp'])
    const denied = { ...both, match, deny: { claims: { groups: 'contractors' } } }
    expect(tell(denied, memberships)).toBe('admission_denied')
    expect(tell({ ...denied, deny: { claims: { groups: 'nobody' } } }, memberships)).toBe('allowed')
    expect(tell({ ...denied, deny: { claims: { roles: 'x' } } }, memberships)).toBe(
      'admission_unknown',
    )
  })

  it('of deny alone let everyone else in; one that fits is enough', () => {
    const deny = { logins: ['mallory'], domains: ['evil.example'] }
    expect(tell({ deny })).toBe('allowed')
    expect(judge({ deny }, { login: 'Mallory' })).toMatchObject({ reason: 'admission_denied' })
    expect(judge({ deny }, { email: 'm@evil.example' })).toMatchObject({
      reason: 'admission_denied',
    })
  })

  it('of deny look at addresses that nobody verified too, and need one to look at', () => {
    const deny = { emails: ['octo@corp.example'] }
    expect(judge({ deny }, { emailVerified: false })).toMatchObject({ reason: 'admission_denied' })
    const { email: _, ...silent } = person
    expect(createAdmission({ deny })(silent)).toMatchObject({
      reason: 'admission_unknown',
      undecided: ['deny.emails'],
    })
    expect(judge({ deny }, { email: 'a@b@corp.example' })).toMatchObject({
      reason: 'admission_unknown',
    })
  })
})

describe('rules that cannot work', () => {
  const build = (rules: unknown) => () => createAdmission(rules as AdmissionRules)

  it.each([
    [{ domains: ['@corp.example'] }],
    [{ emails: ['corp.example'] }],
    [{ logins: 'octocat' }],
    [{ logins: [''] }],
    [{ logins: [7] }],
    [{ organizations: ['https://github.com/corp'] }],
    [{ teams: ['night-watch'] }],
    [{ tenants: [''] }],
    [{ claims: ['groups'] }],
    [{ claims: {} }],
    [{ deny: { claims: {} } }],
    [{ claims: { groups: { all: true } } }],
    [{ claims: { groups: [null] } }],
    [{ groups: ['staff'] }],
    [{ match: 'some' }],
    [{ deny: { login: ['x'] } }],
    [{ deny: { deny: {} } }],
    [{ deny: ['x'] }],
    [[]],
    [null],
  ])('are found at once: %j', (rules) => {
    expect(build(rules)).toThrow(TypeError)
  })

  it('name what is wrong', () => {
    expect(build({ groups: [] })).toThrow(/admission\.groups is no rule; there are: logins/)
    expect(build({ deny: { emails: ['x'] } })).toThrow(/deny\.emails: "x" is malformed/)
  })

  it('are those about what the provider never tells', () => {
    const github = (rules: AdmissionRules) => () => createAdmission(rules, ['organizations'])
    expect(github({ organizations: ['corp'] })).not.toThrow()
    expect(github({ teams: ['corp/a'] })).toThrow(/admission\.teams cannot work here/)
    expect(github({ deny: { tenants: ['t'] } })).toThrow(
      /admission\.deny\.tenants cannot work here/,
    )
    expect(github({ claims: { groups: 'x' } })).toThrow(TypeError)
  })
})

describe('the door', () => {
  it('lets in whom the rules admit', () => {
    expect(admit('GitHub', undefined, person)).toBe(person)
    expect(admit('GitHub', createAdmission({ logins: ['octocat'] }), person)).toBe(person)
  })

  it('tells a refused person which account it was, and the log which rules were undecided', () => {
    const enter = () => admit('Okta', createAdmission({ claims: { groups: 'staff' } }), person)
    expect(enter).toThrow(
      expect.objectContaining({
        code: 'access_denied',
        status: 403,
        reason: 'admission_unknown',
        description: `${account} at Okta may not sign in here; ask the owner of this server for access`,
        cause: expect.objectContaining({
          message: 'Okta did not say what these rules are about: claims.groups',
        }),
      }),
    )
  })
})
