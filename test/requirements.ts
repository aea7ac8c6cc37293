/**
 * What Gatehouse must do, as data. A test ties itself to a row with `verifies('H1', …)` or by naming the
 * row at the end of its title, `it('keeps a registration over a restart (H1)', …)`.
 *
 * `requirements.test.ts` fails on a row without a test, on a test of an unknown row, and on a test of a
 * row that is still called deferred. `npm run docs` writes the table for the README from here.
 */
import { deployments } from './requirements/deployments.ts'
import { mcp } from './requirements/mcp.ts'

/** What is not there yet, and the issue that brings it. */
export interface Later {
  readonly issue: number
  readonly what: string
}

/** One thing that must hold. */
export interface Requirement {
  /** Where it comes from: a deployment's need, or a document and its section. */
  readonly source: string
  /** The MCP revision whose text it is. */
  readonly revision?: string
  /** A sentence that is true when it holds; the title of its tests. */
  readonly behavior: string
  /** Set when nothing of it is built: the row needs no test yet. */
  readonly deferred?: Later
  /** Set when a part is built and tested and the rest comes later. */
  readonly partly?: Later
}

/** Every requirement by its id. */
export const requirements = { ...deployments, ...mcp } as const satisfies Record<
  string,
  Requirement
>

/** The id of a row. */
export type RequirementId = keyof typeof requirements
