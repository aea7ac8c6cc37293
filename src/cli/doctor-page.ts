/** Writes the report of the doctor as a page. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import type { HtmlReport } from '../doctor/report-html/html-report.ts'
import { renderHtmlReport } from '../doctor/report-html.ts'
import { exitUsage, findSystemCode, toFailure } from './failure.ts'
import { printAside } from './output.ts'

/** Stands in every report, and in hardly anything else. */
const mark = '· Gatehouse doctor</title>'

/**
 * Makes sure, before the visit, that no file is lost to the report: it replaces an earlier one at most.
 *
 * @throws Failure when something else is there
 */
export function verifyReportFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found?.isFile() || found.size === 0) return
  if (readFileSync(file, 'utf8').includes(mark)) return
  throw toFailure(`${file} is there and is no report of the doctor; name another file`, exitUsage)
}

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
