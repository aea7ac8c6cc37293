/**
 * Who may enter: allow-lists over what an identity provider says of a person.
 *
 * An e-mail address counts only when the provider verified it (catalogue UP-08), and is compared in
 * its one spelling (UP-09). Whoever is on any of the lists may enter.
 */
import { parseDomain, parseEmail, toDomain } from './email.ts'
import type { Identity } from './upstream.ts'

/** Allow-lists. None at all lets everyone in whom the provider vouches for; an empty one, nobody. */
export interface AdmissionRules {
  /** Logins at the provider, whatever their case. */
  readonly logins?: readonly string[] | undefined
  /** Verified e-mail addresses. */
  readonly emails?: readonly string[] | undefined
  /** Domains of verified e-mail addresses: exactly these, never their subdomains. */
  readonly domains?: readonly string[] | undefined
}

/** The verdict. `account` is what the person is told they tried to enter with. */
export type AdmissionVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly account: string }

/** Decides about one identity. Pure. */
export type Admission = (identity: Identity) => AdmissionVerdict

/**
 * The admission that follows these rules.
 *
 * @throws TypeError when a rule is no e-mail address or no domain
 */
export function createAdmission(rules: AdmissionRules): Admission {
  const logins = new Set(rules.logins?.map(foldLogin))
  const emails = new Set(rules.emails?.map((email) => parseRule(email, parseEmail)))
  const domains = new Set(rules.domains?.map((domain) => parseRule(domain, parseDomain)))
  const open = !rules.logins && !rules.emails && !rules.domains

  return (identity) => {
    const email = toVerifiedEmail(identity)
    const allowed =
      open ||
      logins.has(foldLogin(identity.login)) ||
      (email !== undefined && (emails.has(email) || domains.has(toDomain(email))))
    return allowed ? { allowed } : { allowed, account: identity.login }
  }
}

function toVerifiedEmail({ email, emailVerified }: Identity): string | undefined {
  return email !== undefined && emailVerified === true ? parseEmail(email) : undefined
}

function foldLogin(login: string): string {
  return login.toLowerCase()
}

function parseRule(text: string, parse: (text: string) => string | undefined): string {
  const rule = parse(text)
  if (rule === undefined) throw new TypeError(`Admission: ${JSON.stringify(text)} is malformed`)
  return rule
}
