/**
 * E-mail addresses as identifiers: one spelling for each, or none at all.
 *
 * Allow-lists have been walked around with `a@evil@corp`, a fullwidth `＠`, a trailing dot, other case
 * and internationalised look-alikes (catalogue UP-09). So everything is compared after NFKC, with
 * exactly one `@`, and the domain as A-labels (RFC 5890); what does not fit is not an address.
 */

/** RFC 5321 §4.5.3.1.3, less the angle brackets. */
const longestEmail = 254

/** White space, control and format characters, and what would need quoting (RFC 5322 §3.2.3). */
const unfitForLocalPart = /[\s\p{C}"(),:;<>[\\\]]/u
const lettersDigitsHyphensDots = /^[\p{L}\p{M}\p{N}.-]+$/u
const hostLabels = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The one spelling of an e-mail address, or undefined when the text is none.
 *
 * A local part that NFKC would change (`ﬁona`, with one letter for two) is refused: to a mail server it may
 * be another mailbox than the one that it would become.
 */
export function parseEmail(text: string): string | undefined {
  const [local, host, ...rest] = text.normalize('NFKC').trim().split('@')
  if (!local || host === undefined || rest.length > 0) return undefined
  if (unfitForLocalPart.test(local) || !text.trim().startsWith(local)) return undefined
  const domain = parseDomain(host)
  if (domain === undefined) return undefined
  const email = `${local.toLowerCase()}@${domain}`
  return email.length <= longestEmail ? email : undefined
}

/** A domain name as lower-case A-labels, or undefined when the text is none. IP addresses are none. */
export function parseDomain(text: string): string | undefined {
  const domain = text.normalize('NFKC').trim().toLowerCase()
  if (!lettersDigitsHyphensDots.test(domain)) return undefined
  const host = URL.parse(`http://${domain}`)?.hostname
  return host !== undefined && host.length <= 253 && hostLabels.test(host) ? host : undefined
}

/** The domain of an address that {@link parseEmail} returned. */
export function toDomain(email: string): string {
  return email.slice(email.indexOf('@') + 1)
}
