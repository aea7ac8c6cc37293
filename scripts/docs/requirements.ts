/** The table of requirements for the README, from `test/requirements.ts` and the tests that cite it. */
import { findCitations, isCatalogueRow } from '../../test/helpers/citations.ts'
import { type Requirement, requirements } from '../../test/requirements.ts'

const citations = findCitations()

function renderProof(id: string, { deferred, partly }: Requirement): string {
  if (deferred) return `later (issue ${deferred.issue}): ${deferred.what}`
  const files = citations.filter((citation) => citation.id === id).map(({ file }) => file)
  const links = files.map((file) => `[${file.replace(/^test\/|\.test\.ts$/g, '')}](${file})`)
  const rest = partly ? `later (issue ${partly.issue}): ${partly.what}` : ''
  return [links.join(', '), rest].filter(Boolean).join('; ')
}

/** The rows that stand between the markers of the README. */
export function renderRequirements(): string {
  const rows = Object.entries(requirements as Record<string, Requirement>).map(
    ([id, row]) => `| ${id} | ${row.behavior} | ${renderProof(id, row)} |`,
  )
  const catalogue = new Set(citations.map(({ id }) => id).filter(isCatalogueRow))
  return [
    '| id | what must hold | proven in |',
    '|---|---|---|',
    ...rows,
    '',
    `Besides these, tests cite ${catalogue.size} rows of the catalogue of attacks and faults by id, such as \`CR-03\`.`,
  ].join('\n')
}
