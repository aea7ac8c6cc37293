/** What the doctor finds, and what the words mean that users see, from the checks and the profiles. */
import { checks } from '../../src/doctor/checks.ts'
import type { Check, Severity } from '../../src/doctor/finding.ts'
import { type ClientProfile, type Requirement, requirements } from '../../src/profiles/profile.ts'
import { profiles } from '../../src/profiles/registry.ts'

const severities: Readonly<Record<Severity, string>> = {
  fault: 'Faults: some client cannot connect',
  risk: 'Risks: it works, and will fail one day or is unsafe',
  note: 'Notes',
}

/** `docs/reference/doctor-findings.md`. */
export function renderDoctorFindings(): string {
  const sections = Object.entries(severities).map(([severity, title]) => {
    const found = checks.filter((check) => check.severity === severity)
    return `## ${title}\n\n${found.map(renderCheck).join('\n')}`
  })
  return `# What the doctor finds

Made from \`src/doctor/checks/\` by \`npm run docs\`. \`gatehouse doctor URL\` names the cause first; what follows
from it is left out until it is mended. Which words users see for which of these:
[troubleshooting](../guides/troubleshooting.md).

${sections.join('\n')}`
}

function renderCheck(check: Check): string {
  const { id, title, why, fix, gatehouse, breaks, stops } = check
  const lines = [
    `### \`${id}\``,
    '',
    `**${title}.** ${why}`,
    '',
    `- Mend it: ${fix}`,
    ...(gatehouse === undefined ? [] : [`- With Gatehouse: ${gatehouse}`]),
    ...(breaks.length === 0 ? [] : [`- Needed by: ${renderNeeding(breaks, stops !== undefined)}`]),
    '',
  ]
  return lines.join('\n')
}

function renderNeeding(breaks: readonly Requirement[], stopsAll: boolean): string {
  if (stopsAll) return 'every client that comes to it'
  const needing = profiles.filter(({ requires }) => requires.some((one) => breaks.includes(one)))
  if (needing.length === profiles.length) return 'every client'
  return (
    needing.map(({ name }) => name).join(', ') || 'no client for certain; clients have to guess'
  )
}

/** The table of `docs/guides/troubleshooting.md`: what a user sees, and where to look. */
export function renderWords(): string {
  const rows = new Map<string, { clients: Set<string>; ids: Set<string> }>()
  for (const { words, client, ids } of profiles.flatMap(listWords)) {
    const row = rows.get(words) ?? { clients: new Set(), ids: new Set() }
    row.clients.add(client)
    for (const id of ids) row.ids.add(id)
    rows.set(words, row)
  }
  const lines = [...rows]
    .filter(([, { ids }]) => ids.size > 0)
    .map(
      ([words, { clients, ids }]) =>
        `| ${escapeCell(words)} | ${[...clients].join(', ')} | ${[...ids].map((id) => `\`${id}\``).join(', ')} |`,
    )
  return ['| words | seen in | likely findings |', '|---|---|---|', ...lines].join('\n')
}

function listWords({ name, failures, requires }: ClientProfile) {
  const { of = {}, ...steps } = failures
  const own = Object.entries(of).map(([requirement, words]) => ({
    words,
    client: name,
    ids: findChecks([requirement]),
  }))
  const general = Object.entries(steps).map(([step, words]) => ({
    words,
    client: name,
    ids: findChecks(requires.filter((one) => requirements[one] === step && !(one in of))),
  }))
  return [...own, ...general]
}

/** Faults that break one of these; those that break little besides come first. */
function findChecks(broken: readonly string[]): readonly string[] {
  return checks
    .filter(
      ({ severity, breaks }) => severity === 'fault' && breaks.some((one) => broken.includes(one)),
    )
    .toSorted((one, other) => one.breaks.length - other.breaks.length)
    .map(({ id }) => id)
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}
