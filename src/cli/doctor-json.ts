/** The report of `gatehouse doctor` for programs. Its shape is documented in docs/guides/doctor.md and kept. */
import type { Observation } from '../doctor/observation.ts'
import type { Report, ReportedFinding } from '../doctor/report.ts'

/** The report as JSON. Members are added over time, never renamed or given another meaning. */
export function toReportJson(report: Report): Record<string, unknown> {
  return {
    url: report.url,
    visited_at: report.visitedAt,
    requests: report.requests,
    host: toHostJson(report.host),
    clients: report.verdicts.map(({ client, outcome, step, finding, words, reason }) => ({
      id: client.id,
      name: client.name,
      outcome,
      step,
      finding,
      words,
      reason,
    })),
    findings: report.findings.map(toFindingJson),
    left_behind: report.leftBehind.map(({ client, clientId, endpoint }) => ({
      client,
      client_id: clientId,
      registration_endpoint: endpoint,
    })),
    documents_shown: report.documentsShown.map(({ client, clientId }) => ({
      client,
      client_id: clientId,
    })),
  }
}

function toHostJson(host: Report['host']): Record<string, unknown> {
  if ('kind' in host) return { failure: host }
  const { ipv4, ipv6, protocol, certificate } = host
  return {
    ipv4,
    ipv6,
    protocol,
    certificate: certificate && {
      subject: certificate.subject,
      issuer: certificate.issuer,
      valid_from: certificate.validFrom,
      valid_to: certificate.validTo,
      problem: certificate.problem,
    },
  }
}

/** One finding with its evidence. */
export function toFindingJson(finding: ReportedFinding): Record<string, unknown> {
  const { id, severity, title, seen, why, fix, gatehouse, breaks, clients, evidence } = finding
  return {
    id,
    severity,
    title,
    seen,
    clients,
    why,
    fix,
    gatehouse,
    breaks,
    evidence: evidence.map(toEvidenceJson),
  }
}

function toEvidenceJson({ request, response, failure, milliseconds }: Observation) {
  const { status, headers, body } = response ?? {}
  return {
    request,
    response: response === undefined ? undefined : { status, headers, body },
    failure,
    milliseconds,
  }
}
