/** What the page of a report is made from. */
import type { Verdict } from '../finding.ts'
import type { LoginVisit } from '../login/login-visit.ts'
import type { ShownFinding } from './findings.ts'

/** What the page tells. */
export interface HtmlReport {
  /** What was looked at: the MCP URL, or the public URL of an installation. */
  readonly url: string
  /** Unix seconds. */
  readonly visitedAt: number
  /** Of the program that wrote it. */
  readonly version: string
  /** How many requests were sent, where that was counted. */
  readonly requests?: number | undefined
  /** Empty for an installation that looked at itself. */
  readonly verdicts: readonly ShownVerdict[]
  readonly findings: readonly ShownFinding[]
  /** Registrations that could not be removed. */
  readonly leftBehind?: readonly { readonly client: string; readonly clientId?: string }[]
  readonly documentsShown?: readonly { readonly client: string }[]
  readonly login?: LoginVisit | undefined
  /** What an installation said of itself, in rows. */
  readonly facts?: readonly (readonly [name: string, value: string])[] | undefined
}

/** A verdict with why there is none. */
export interface ShownVerdict extends Verdict {
  readonly reason?: string
}
