/** What commands print: lines, tables that fit the terminal, and JSON for scripts. */
import { relative } from 'node:path'
import { toPrintable } from '../operate/redact.ts'

/** One row of a table: as many texts as there are columns. */
export type Row = readonly string[]

/** Narrowest a column gets when the table is too wide. */
const narrowestColumn = 8
const gap = '  '

/** Writes lines to standard output. */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Writes lines to standard error: warnings, and what must not get into a pipe. */
export function printAside(...lines: string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`)
}

/** Characters of JSON that could steer a terminal or mislead its reader. */
const steering = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

/** JSON with everything escaped that is not for the eye: for programs it stays the same text. */
export function renderJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(
    steering,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Prints records as a table, or as JSON when asked. */
export function printRecords<T extends object>(
  records: readonly T[],
  table: { columns: Row; toRow: (record: T) => Row; empty: string },
  json: boolean,
): void {
  if (json) return print(renderJson(records))
  if (records.length === 0) return print(table.empty)
  print(renderTable([table.columns, ...records.map(table.toRow)], process.stdout.columns))
}

/**
 * Aligned columns. In a terminal the widest columns are shortened until a row fits into `width`; in a
 * pipe nothing is. Texts may come from anyone, so control characters are written out.
 */
export function renderTable(rows: readonly Row[], width = Number.POSITIVE_INFINITY): string {
  const cells = rows.map((row) => row.map(toPrintable))
  const count = Math.max(...cells.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...cells.map((row) => measureText(row[column] ?? ''))),
  )
  shrink(widths, width)
  return cells.map((row) => renderRow(row, widths)).join('\n')
}

/** `2026-11-20 22:43` in UTC. */
export function renderTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
}

/** A path as short as it can be said from here. */
export function renderPath(path: string): string {
  const near = relative('.', path)
  return near.startsWith('..') ? path : near || '.'
}

function shrink(widths: number[], width: number): void {
  const total = (): number =>
    widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1))
  while (total() > width) {
    const widest = Math.max(...widths)
    if (widest <= narrowestColumn) return
    widths[widths.indexOf(widest)] = widest - 1
  }
}

function renderRow(row: Row, widths: readonly number[]): string {
  return widths
    .map((width, column) => fit(row[column] ?? '', width))
    .join(gap)
    .trimEnd()
}

function fit(text: string, width: number): string {
  if (measureText(text) <= width) return text + ' '.repeat(width - measureText(text))
  let short = ''
  for (const character of text) {
    if (measureText(short + character) > width - 1) break
    short += character
  }
  return `${short}…${' '.repeat(Math.max(0, width - 1 - measureText(short)))}`
}

/** East Asian and emoji characters take two cells, combining marks none. */
function measureText(text: string): number {
  let cells = 0
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue
    cells += wide.test(character) ? 2 : 1
  }
  return cells
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
