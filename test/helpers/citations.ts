/** Finds which test files cite which requirement or catalogue row. */
import { listFiles, readSource } from './sources.ts'

/** A row named by a test. */
export interface Citation {
  readonly id: string
  /** The test file, relative to the checkout. */
  readonly file: string
}

const call = /\bverifies(?:That|Each)?(?:<[^>]*>)?\(\s*'([^']+)'/g
const title =
  /\b(?:it|test|describe)(?:\.\w+)*(?:\([^)']*\))?\(\s*(?:'((?:\\.|[^'\\])*)'|`([^`]*)`|"([^"]*)")/g
const ending = /\(([A-Z]{1,2}-?\d{1,2}(?:,\s*[A-Z]{1,2}-?\d{1,2})*)\)\s*$/

/** The rows one test source cites: in `verifies('H1', …)` and at the end of titles, `… (H1, CR-03)`. */
export function findCited(source: string): string[] {
  const called = [...source.matchAll(call)].map((match) => match[1] ?? '')
  const titled = [...source.matchAll(title)].flatMap((match) => {
    const ids = ending.exec(match[1] ?? match[2] ?? match[3] ?? '')?.[1] ?? ''
    return ids.split(',').map((id) => id.trim())
  })
  return [...called, ...titled].filter(Boolean)
}

/** Every citation in the tests of this checkout. */
export function findCitations(): Citation[] {
  const files = listFiles('test').filter((path) => path.endsWith('.test.ts'))
  return files
    .filter((path) => path !== 'test/requirements.test.ts')
    .flatMap((file) => [...new Set(findCited(readSource(file)))].map((id) => ({ id, file })))
}

/**
 * Whether an id is a free citation rather than a row of `requirements.ts`: of the catalogue of attacks
 * and faults (`CR-03`, its decisions `P1` to `P8`), or of its rows of specifications and of building (`I17`, `T2`, `G3`).
 */
export function isCatalogueRow(id: string): boolean {
  return /^[A-Z]{2}-\d{2}$|^[PITG]\d{1,2}$/.test(id)
}
