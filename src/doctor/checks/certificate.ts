/** Whether the certificate is one that clients trust. */
import type { Check, Sighting } from '../finding.ts'
import type { HostFacts } from '../observation.ts'
import type { Visit } from '../visit.ts'
import { readHost } from './reach.ts'

type Certificate = NonNullable<HostFacts['certificate']>

/** Seconds before its end at which a certificate that renews itself should have been renewed. */
const renewalSeconds = 14 * 86_400

function findCertificate(
  visit: Visit,
  isSo: (certificate: Certificate, problem: string) => boolean,
): Sighting | undefined {
  const { host, post } = visit.shared
  const certificate = readHost(visit.shared)?.certificate
  if (certificate === undefined) return undefined
  const problem = certificate.problem ?? ''
  if (!isSo(certificate, problem)) return undefined
  const name = 'kind' in host ? visit.shared.url.host : host.host
  return { seen: describe(name, certificate), evidence: [post] }
}

function describe(host: string, { subject, issuer, validFrom, validTo, problem }: Certificate) {
  const [from, to] = [validFrom, validTo].map((at) =>
    Number.isFinite(at) ? new Date(at * 1000).toISOString().slice(0, 10) : 'an unreadable date',
  )
  const why = problem === undefined ? '' : `: ${problem}`
  return `The certificate at ${host} is for ${subject}, by ${issuer}, valid from ${from} to ${to}${why}`
}

const isExpired = ({ validTo }: Certificate, problem: string, now: number) =>
  problem !== '' && (validTo < now || /expired/i.test(problem))
const isEarly = ({ validFrom }: Certificate, problem: string, now: number) =>
  problem !== '' && (validFrom > now || /not valid yet/i.test(problem))
const hasOtherName = (problem: string) => /another name/i.test(problem)

const expired: Check = {
  id: 'certificate-expired',
  severity: 'fault',
  title: 'The certificate has expired',
  why: 'No client connects to a server whose certificate is out of date.',
  fix: 'Renew the certificate, have the server load the new one, and look why it was not renewed by itself (certbot renew --dry-run).',
  breaks: ['valid-certificate'],
  stops: 'reach',
  find: (visit) =>
    findCertificate(visit, (certificate, problem) =>
      isExpired(certificate, problem, visit.shared.now),
    ),
}

const notYetValid: Check = {
  id: 'certificate-not-yet-valid',
  severity: 'fault',
  title: 'The certificate is not valid yet',
  why: 'No client connects before the certificate begins; the clock of the machine that made it was wrong, or it was installed too early.',
  fix: 'Set the clock of the server by NTP and have the certificate issued again.',
  breaks: ['valid-certificate'],
  stops: 'reach',
  find: (visit) =>
    findCertificate(visit, (certificate, problem) =>
      isEarly(certificate, problem, visit.shared.now),
    ),
}

const wrongName: Check = {
  id: 'certificate-wrong-name',
  severity: 'fault',
  title: 'The certificate is for another host name',
  why: 'No client connects to a server that shows the certificate of another name.',
  fix: 'Have a certificate issued for this host name, and check that the proxy picks it by the name asked for (SNI).',
  breaks: ['valid-certificate'],
  stops: 'reach',
  find: (visit) => findCertificate(visit, (_, problem) => hasOtherName(problem)),
}

const untrusted: Check = {
  id: 'certificate-untrusted',
  severity: 'fault',
  title: 'The certificate is not signed by anybody whom clients trust',
  why: 'It is self-signed, or the server does not send the intermediate certificate: browsers find that one by themselves, clients do not.',
  fix: 'Use a certificate of a public authority such as Let’s Encrypt, and serve the full chain (fullchain.pem, not cert.pem).',
  breaks: ['valid-certificate'],
  stops: 'reach',
  find: (visit) =>
    findCertificate(visit, (certificate, problem) => {
      const { now } = visit.shared
      const isOther = isExpired(certificate, problem, now) || isEarly(certificate, problem, now)
      return problem !== '' && !isOther && !hasOtherName(problem)
    }),
}

const endsSoon: Check = {
  id: 'certificate-ends-soon',
  severity: 'risk',
  title: 'The certificate ends within two weeks',
  why: 'Certificates that renew themselves are renewed a month before their end; this one seems not to be.',
  fix: 'Look why it was not renewed by itself (certbot renew --dry-run, the log of the proxy).',
  breaks: [],
  find: (visit) =>
    findCertificate(visit, ({ validFrom, validTo }, problem) => {
      const left = validTo - visit.shared.now
      const isShortLived = validTo - validFrom < 2 * renewalSeconds
      return problem === '' && left > 0 && left < renewalSeconds && !isShortLived
    }),
}

/** The certificate. */
export const certificateChecks = [expired, notYetValid, wrongName, untrusted, endsSoon]
