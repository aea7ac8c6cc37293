/** Writes the report of the doctor as a page. */
import { writeFileSync } from 'node:fs'
import { type HtmlReport, renderHtmlReport } from '../doctor/report-html.ts'
import { findSystemCode, toFailure } from './failure.ts'
import { printAside } from './output.ts'

/**
 * Writes the page in place of what is there.
 *
 * @throws Failure when the file cannot be written
 */
export function writeReport(file: string, report: HtmlReport): void {
  try {
    writeFileSync(file, renderHtmlReport(report))
  } catch (error) {
    const why = findSystemCode(error) ?? String(error)
    throw toFailure(`The report cannot be written to ${file} (${why}); name another file`)
  }
  printAside(`The report is in ${file}`)
}
