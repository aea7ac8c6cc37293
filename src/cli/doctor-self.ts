/** `gatehouse doctor --self`: looks at the running configuration of this installation, and changes nothing. */
import type { Finding } from '../doctor/finding.ts'
import type { ReportedFinding } from '../doctor/report.ts'
import type { SelfFacts } from '../doctor/self/self-facts.ts'
import { findSelfFaults, toConfigurationFinding } from '../doctor/self/self-faults.ts'
import type { Settings } from '../operate/config/load.ts'
import { systemClock } from '../platform/clock.ts'
import { type ConfigOptions, judgeConfig } from './config.ts'
import { toFindingJson } from './doctor-json.ts'
import { refuseVisitOptions, type VisitOptions } from './doctor-options.ts'
import { verifyReportFile, writeReport } from './doctor-page.ts'
import { renderFindings } from './doctor-text.ts'
import { exitFailure, exitUsage, toFailure } from './failure.ts'
import { print, renderJson, renderPath, renderTable, renderTime } from './output.ts'
import { gatherData } from './self-data.ts'
import { gatherNetwork, readLimits } from './self-network.ts'
import { createSteps } from './steps.ts'
import { readVersion } from './version.ts'

/** Options of `doctor --self`. */
export interface SelfOptions extends ConfigOptions, VisitOptions {
  /** File of the report as a page. */
  report?: string
}

/** What came of it. */
interface SelfReport {
  readonly url: string
  readonly visitedAt: number
  readonly facts: readonly (readonly [string, string])[]
  readonly findings: readonly ReportedFinding[]
  readonly exitCode: number
}

/**
 * Looks, and prints what is wrong.
 *
 * Fails with exit code 1 when something is at fault, and with 2 when it is the configuration, as `config check`.
 */
export async function examineSelf(url: string | undefined, options: SelfOptions): Promise<void> {
  if (url !== undefined)
    throw toFailure('--self looks at this installation: leave the address out', exitUsage)
  refuseVisitOptions(options)
  if (options.report !== undefined) verifyReportFile(options.report)
  const report = await lookAtSelf(options)
  if (options.json === true) print(renderJson(toJson(report)))
  else print(...renderSelf(report))
  if (options.report !== undefined)
    writeReport(options.report, { ...report, verdicts: [], version: readVersion() })
  if (report.exitCode !== 0) throw toFailure(countFaults(report.findings), report.exitCode)
}

async function lookAtSelf(options: SelfOptions): Promise<SelfReport> {
  const visitedAt = systemClock.now()
  const judged = await judgeConfig(options, { needsBackend: true })
  if (!judged.ok) {
    const findings = judged.problems.map((one) => toConfigurationFinding(one, 'fault'))
    const url = options.publicUrl ?? 'this installation'
    return { url, visitedAt, facts: [], findings: report(findings), exitCode: exitUsage }
  }
  const { settings, live } = judged
  const steps = createSteps(2, options.json === true)
  try {
    steps.begin('Looking at the data')
    const { data, keys } = await gatherData(settings)
    steps.begin('Asking the public URL, providers and backends')
    const network = await gatherNetwork(live)
    const facts: SelfFacts = {
      now: systemClock.now(),
      publicUrl: settings.publicUrl,
      warnings: settings.warnings,
      data,
      keys,
      ...network,
      process: readLimits(),
    }
    const findings = findSelfFaults(facts)
    const isAtFault = findings.some(({ severity }) => severity === 'fault')
    return {
      url: settings.publicUrl,
      visitedAt,
      facts: describeFacts(facts, settings),
      findings: report(findings),
      exitCode: isAtFault ? exitFailure : 0,
    }
  } finally {
    steps.end()
  }
}

/** No client was played, so none is known to stumble. */
function report(findings: readonly Finding[]): ReportedFinding[] {
  return findings.map((finding) => ({ ...finding, clients: [] }))
}

function countFaults(findings: readonly Finding[]): string {
  const faults = findings.filter(({ severity }) => severity === 'fault').length
  return faults === 1 ? 'One thing is at fault' : `${faults} things are at fault`
}

function renderSelf({ url, facts, findings }: SelfReport): string[] {
  const isSound = findings.every(({ severity }) => severity === 'note')
  return [
    ...renderFindings(findings, process.stdout),
    url,
    ...(facts.length > 0 ? [renderTable(facts.map(([name, value]) => [`  ${name}`, value]))] : []),
    ...(isSound ? ['Nothing is wrong'] : []),
  ]
}

/** Its shape is documented in docs/guides/doctor.md and kept. */
function toJson({ url, visitedAt, facts, findings }: SelfReport): Record<string, unknown> {
  return {
    public_url: url,
    visited_at: visitedAt,
    facts: facts.map(([name, value]) => ({ name, value })),
    findings: findings.map(toFindingJson),
  }
}

/** What was looked at, in a line each. */
function describeFacts(facts: SelfFacts, settings: Settings): [string, string][] {
  const { data, keys, providers, backends, documents, process: limits, address } = facts
  const { signer } = keys
  return [
    ['Public URL', describeAnswer(address.metadata ?? address.resources[0]?.metadata)],
    ['Store', describeStore(data)],
    [
      'Master key',
      data.masterKey.from === 'file' ? renderPath(data.masterKey.path) : data.masterKey.from,
    ],
    [
      'Signing key',
      signer
        ? `${signer.kid}, ${signer.algorithm}, the next one is due ${renderTime(signer.activeAt + keys.rotationSeconds)} UTC`
        : 'none yet',
    ],
    ...(data.disk ? [['Disk', describeDisk(data.disk)] satisfies [string, string]] : []),
    ...providers.map(({ label, reached }): [string, string] => [label, describeAnswer(reached)]),
    ...backends.map(({ id, address: to, problem }): [string, string] => [
      `Backend ${id}`,
      problem === undefined ? `${to} answers` : to,
    ]),
    ...documents.map(({ host, problem }): [string, string] => [
      `Documents at ${host}`,
      problem ?? 'can be reached',
    ]),
    ['Open files', limits.openFiles === undefined ? 'unknown' : `up to ${limits.openFiles}`],
    ['Listens on', `${settings.host} port ${settings.port}`],
  ]
}

function describeAnswer(seen: SelfFacts['address']['metadata']): string {
  if (seen === undefined) return 'not asked'
  return seen.response ? `answers ${seen.response.status}` : (seen.failure?.detail ?? 'no answer')
}

function describeStore({ place, schema, rows }: SelfFacts['data']): string {
  return schema === undefined ? place : `${place}, schema ${schema}, ${rows ?? 0} entries`
}

function describeDisk({ path, freeBytes, totalBytes }: NonNullable<SelfFacts['data']['disk']>) {
  const share = Math.round((freeBytes / totalBytes) * 100)
  return `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free at ${renderPath(path)} (${share} %)`
}
