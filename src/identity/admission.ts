/**
 * Who may enter: rules over what an identity provider says of a person.
 *
 * 1. A rule of `deny` that fits refuses, whatever else is said. So does one that cannot be decided.
 * 2. Without further rules everyone else enters whom the provider vouches for.
 * 3. With `match: 'any'` one fitting rule admits, with `match: 'all'` every one has to fit. Within a rule
 *    one of its values is enough; a rule without values fits nobody.
 * 4. What the provider did not say fits no rule: silence never admits.
 *
 * An e-mail address counts only when the provider verified it (catalogue UP-08), and is compared in
 * its one spelling (UP-09). To be denied, it need not be verified.
 */
import { parseDomain, parseEmail, toDomain } from './email.ts'
import { foldLogin } from './login.ts'
import type { Identity } from './upstream.ts'

/** What rules can be about. Each member is one rule, each claim one of its own. */
export interface AdmissionList {
  /** Logins at the provider, whatever their case. */
  readonly logins?: readonly string[] | undefined
  /** E-mail addresses. */
  readonly emails?: readonly string[] | undefined
  /** Domains of e-mail addresses: exactly these, never their subdomains. */
  readonly domains?: readonly string[] | undefined
  /** GitHub organisations, whatever their case. */
  readonly organizations?: readonly string[] | undefined
  /** GitHub teams as `organisation/team-slug`, whatever their case. */
  readonly teams?: readonly string[] | undefined
  /** Tenants (Entra `tid`, Auth0 `org_id`, Google `hd`), exactly as the provider writes them. */
  readonly tenants?: readonly string[] | undefined
  /** Claim → value or values. The name is taken as a whole, dots and slashes included; values are exact. */
  readonly claims?: Readonly<Record<string, string | readonly string[]>> | undefined
}

/** Who may enter. No rules at all let everyone in whom the provider vouches for. */
export interface AdmissionRules extends AdmissionList {
  /** Who may not, whatever the other rules say. */
  readonly deny?: AdmissionList | undefined
  /** Whether one fitting rule is enough or every rule has to fit. Default `any`. */
  readonly match?: 'any' | 'all' | undefined
}

/** What only some providers say of people. */
export type AdmissionFact = 'organizations' | 'teams' | 'tenants' | 'claims'

/** Why somebody is refused; `admission_unknown`: a rule could not be decided. */
export type AdmissionReason = 'not_admitted' | 'admission_denied' | 'admission_unknown'

/** The verdict. */
export type AdmissionVerdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      /** What the person is told they tried to enter with. */
      readonly account: string
      readonly reason: AdmissionReason
      /** The rules that could not be decided, such as `claims.groups`. */
      readonly undecided: readonly string[]
    }

/** Decides about one identity. Pure. */
export type Admission = (identity: Identity) => AdmissionVerdict

type Finding = 'fits' | 'differs' | 'unknown'

interface Rule {
  readonly name: string
  judge(identity: Identity): Finding
}

/** How to read one kind of value from a rule and from what the provider said; undefined: it said nothing. */
interface Kind {
  parse(text: string): string | undefined
  read(identity: Identity, trust: 'verified' | 'any'): readonly string[] | undefined
}

const kinds: Readonly<Record<Exclude<keyof AdmissionList, 'claims'>, Kind>> = {
  logins: { parse: foldLogin, read: ({ login }) => [foldLogin(login)] },
  emails: { parse: parseEmail, read: readEmails },
  domains: {
    parse: parseDomain,
    read: (identity, trust) => readEmails(identity, trust)?.map(toDomain),
  },
  organizations: {
    parse: (text) => parseShape(text, /^[a-z0-9_-]+$/),
    read: ({ memberships }) => memberships?.organizations?.map((name) => name.toLowerCase()),
  },
  teams: {
    parse: (text) => parseShape(text, /^[a-z0-9_-]+\/[a-z0-9._-]+$/),
    read: ({ memberships }) => memberships?.teams?.map((name) => name.toLowerCase()),
  },
  tenants: {
    parse: (text) => text || undefined,
    read: ({ memberships }) =>
      memberships?.tenant === undefined ? undefined : [memberships.tenant],
  },
}

const listMembers = new Set<string>([...Object.keys(kinds), 'claims'])
const ruleMembers = new Set<string>([...listMembers, 'deny', 'match'])
const everything: readonly AdmissionFact[] = ['organizations', 'teams', 'tenants', 'claims']

/**
 * The admission that follows these rules.
 *
 * @param says what this provider tells of people besides login and e-mail. Default: everything
 * @throws TypeError when a rule is unknown or malformed, or about something the provider never says
 */
export function createAdmission(
  rules: AdmissionRules,
  says: readonly AdmissionFact[] = everything,
): Admission {
  verifyMembers(rules, ruleMembers, 'admission')
  const { deny = {}, match = 'any', ...allow } = rules
  if (match !== 'any' && match !== 'all') throw new TypeError("admission.match: use 'any' or 'all'")
  verifyMembers(deny, listMembers, 'admission.deny')
  verifyFacts(allow, says, 'admission')
  verifyFacts(deny, says, 'admission.deny')
  const allowing = toRules(allow, 'verified', '')
  const denying = toRules(deny, 'any', 'deny.')

  return (identity) => {
    const denials = judge(denying, identity)
    if (denials.fitting.length > 0) return refuse(identity, 'admission_denied')
    if (denials.undecided.length > 0) {
      return refuse(identity, 'admission_unknown', denials.undecided)
    }
    const { fitting, undecided } = judge(allowing, identity)
    const enough = match === 'all' ? allowing.length : Math.min(1, allowing.length)
    if (fitting.length >= enough) return { allowed: true }
    const couldBe = fitting.length + undecided.length >= enough
    return couldBe
      ? refuse(identity, 'admission_unknown', undecided)
      : refuse(identity, 'not_admitted')
  }
}

/** What a person is told they came with: the login, and the e-mail address when it is another. */
export function toAccountName({ login, email }: Identity): string {
  return email === undefined || email === login ? login : `${login} (${email})`
}

function judge(rules: readonly Rule[], identity: Identity) {
  const findings = rules.map((rule) => ({ name: rule.name, finding: rule.judge(identity) }))
  const select = (wanted: Finding) =>
    findings.filter(({ finding }) => finding === wanted).map(({ name }) => name)
  return { fitting: select('fits'), undecided: select('unknown') }
}

function refuse(
  identity: Identity,
  reason: AdmissionReason,
  undecided: readonly string[] = [],
): AdmissionVerdict {
  return { allowed: false, account: toAccountName(identity), reason, undecided }
}

function toRules(list: AdmissionList, trust: 'verified' | 'any', place: string): Rule[] {
  const { claims = {}, ...rest } = list
  const plain = Object.entries(kinds).flatMap(([name, kind]): Rule[] => {
    const values = rest[name as keyof typeof kinds]
    if (values === undefined) return []
    const wanted = parseValues(values, `${place}${name}`, kind.parse)
    return [toRule(`${place}${name}`, wanted, (identity) => kind.read(identity, trust))]
  })
  // An empty list fits nobody; no claim at all would be no rule, and let everybody in.
  const isRule = isObject(claims) && (list.claims === undefined || Object.keys(claims).length > 0)
  if (!isRule) throw malformed(`${place}claims`, claims)
  const claimed = Object.entries(claims).map(([claim, value]) => {
    const name = `${place}claims.${claim}`
    const wanted = parseValues(typeof value === 'string' ? [value] : value, name, (text) => text)
    return toRule(name, wanted, ({ memberships }) => readClaim(memberships?.claims, claim))
  })
  return [...plain, ...claimed]
}

function toRule(
  name: string,
  wanted: ReadonlySet<string>,
  read: (identity: Identity) => readonly string[] | undefined,
): Rule {
  return {
    name,
    judge: (identity) => {
      const said = read(identity)
      if (said === undefined) return 'unknown'
      return said.some((value) => wanted.has(value)) ? 'fits' : 'differs'
    },
  }
}

/** Nothing, when the provider does not say whether the address was verified, and that is what counts. */
function readEmails(
  { email, emailVerified }: Identity,
  trust: 'verified' | 'any',
): readonly string[] | undefined {
  if (email === undefined) return undefined
  const parsed = parseEmail(email)
  if (trust === 'any') return parsed === undefined ? undefined : [parsed]
  if (emailVerified === undefined) return undefined
  return emailVerified && parsed !== undefined ? [parsed] : []
}

/** The texts of a claim: one, or a list of them; undefined when it is absent or something else. */
function readClaim(
  claims: Readonly<Record<string, unknown>> | undefined,
  name: string,
): readonly string[] | undefined {
  const value = claims?.[name]
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isPlain = values.every((one) => ['string', 'number', 'boolean'].includes(typeof one))
  return isPlain ? values.map(String) : undefined
}

function verifyMembers(list: unknown, known: ReadonlySet<string>, place: string): void {
  if (!isObject(list)) throw malformed(place, list)
  const stranger = Object.keys(list).find((member) => !known.has(member))
  if (stranger === undefined) return
  throw new TypeError(`${place}.${stranger} is no rule; there are: ${[...known].join(', ')}`)
}

function verifyFacts(list: AdmissionList, says: readonly AdmissionFact[], place: string): void {
  const missing = everything.find((fact) => list[fact] !== undefined && !says.includes(fact))
  if (missing === undefined) return
  throw new TypeError(
    `${place}.${missing} cannot work here: this provider does not tell the ${missing} of people`,
  )
}

function parseValues(
  values: unknown,
  place: string,
  parse: (text: string) => string | undefined,
): ReadonlySet<string> {
  if (!Array.isArray(values)) throw malformed(place, values)
  return new Set(
    values.map((value: unknown) => {
      const parsed = typeof value === 'string' && value !== '' ? parse(value) : undefined
      if (parsed === undefined) throw malformed(place, value)
      return parsed
    }),
  )
}

function parseShape(text: string, shape: RegExp): string | undefined {
  const folded = text.toLowerCase()
  return shape.test(folded) ? folded : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(place: string, value: unknown): TypeError {
  return new TypeError(
    `Admission: ${place}: ${JSON.stringify(value) ?? String(value)} is malformed`,
  )
}
