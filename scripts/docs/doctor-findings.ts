/** What the doctor finds, and what the words mean that users see, from its explanations and the profiles. */
import { checks } from '../../src/doctor/checks.ts'
import type { Explanations } from '../../src/doctor/explained.ts'
import type { Explanation, Severity } from '../../src/doctor/finding.ts'
import { loginExplanations } from '../../src/doctor/login/explanations.ts'
import { selfExplanations } from '../../src/doctor/self/explanations.ts'
import { findStumbles } from '../../src/doctor/verdict.ts'
import type { ClientProfile, Requirement } from '../../src/profiles/profile.ts'
import { profiles } from '../../src/profiles/registry.ts'

const severities: Readonly<Record<Severity, string>> = {
  fault: 'Faults: some client cannot connect',
  risk: 'Risks: it works, and will fail one day or is unsafe',
  note: 'Notes',
}

const ofLogin = listExplanations(loginExplanations)
const ofSelf = listExplanations(selfExplanations)

function listExplanations(explanations: Explanations): readonly Explanation[] {
  return Object.entries(explanations).map(([id, explanation]) => ({ id, ...explanation }))
}

/** `docs/reference/doctor-findings.md`. */
export function renderDoctorFindings(): string {
  const sections = Object.entries(severities).map(([severity, title]) => {
    const found = checks.filter((check) => check.severity === severity)
    return `## ${title}\n\n${found.map(renderExplanation).join('\n')}`
  })
  return `# What the doctor finds

Made from \`src/doctor/\` by \`npm run docs\`. \`gatehouse doctor URL\` names the cause first; what follows
from it is left out until it is mended. Which words users see for which of these:
[troubleshooting](../guides/troubleshooting.md).

At [any server](#${toAnchor(severities.fault)}), [behind its sign-in](#behind-the-sign-in) with \`--login\`, and at
[your own installation](#your-own-installation) with \`--self\`.

${sections.join('\n')}
## Behind the sign-in

What \`gatehouse doctor URL --login\` finds besides.

${ofLogin.map(renderRanked).join('\n')}
## Your own installation

What \`gatehouse doctor --self\` finds.

${ofSelf.map(renderRanked).join('\n')}`
}

function toAnchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z ]/g, '')
    .replaceAll(' ', '-')
}

function renderExplanation(explanation: Explanation): string {
  return renderUnder(explanation, '')
}

/** Where faults, risks and notes stand together, each says which it is. */
function renderRanked(explanation: Explanation): string {
  return renderUnder(explanation, ` *${explanation.severity}*`)
}

function renderUnder(explanation: Explanation, rank: string): string {
  const { id, title, why, fix, gatehouse, breaks, stops } = explanation
  const isNeeded = breaks.length > 0 || stops !== undefined
  const lines = [
    `### \`${id}\`${rank}`,
    '',
    `**${title}.** ${why}`,
    '',
    `- Mend it: ${fix}`,
    ...(gatehouse === undefined ? [] : [`- With Gatehouse: ${gatehouse}`]),
    ...(isNeeded ? [`- Needed by: ${renderNeeding(breaks, stops !== undefined)}`] : []),
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

/** What the doctor says that this client's user sees, of each fault; those that break little besides come first. */
function listWords(profile: ClientProfile) {
  const findings = [...checks, ...ofLogin]
    .toSorted((one, other) => one.breaks.length - other.breaks.length)
    .map((explanation) => ({ ...explanation, seen: '', evidence: [] }))
  return findStumbles(profile, findings).flatMap(({ words, finding: { id } }) =>
    words === undefined ? [] : [{ words, client: profile.name, ids: [id] }],
  )
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}
