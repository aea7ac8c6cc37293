/** Tables, in Markdown, so that they can go into a document as they are. */
import type { Costs, CountedOperation } from './costs.ts'
import type { Measured, Ratio } from './summary.ts'

/** The table of one operation. */
export function renderOperation({ name, about, base, rounds, rows }: Measured): string {
  const head = [
    'server',
    'ops/s',
    'CPU µs/op',
    `speed × ${base} by CPU (least–greatest)`,
    'by ops/s',
    'core busy',
    'with others',
    'p50 ms',
    'p99 ms',
  ]
  const body = rows.map((row) => [
    row.contender,
    row.perSecond.toFixed(0),
    row.cpuMicroseconds.toFixed(row.cpuMicroseconds < 100 ? 1 : 0),
    row.speed ? formatRange(row.speed.byCpu) : '',
    row.speed ? formatRatio(row.speed.byRate.median) : '',
    `${Math.round(row.busy * 100)} %`,
    `${Math.round(row.foreign * 100)} %`,
    row.medianMilliseconds.toFixed(2),
    row.p99Milliseconds.toFixed(2),
  ])
  return `\n${name}: ${about}; medians of ${rounds} rounds\n\n${renderTable(head, body)}`
}

function formatRange({ median, least, greatest }: Ratio): string {
  return `${formatRatio(median)} (${formatRatio(least)}–${formatRatio(greatest)})`
}

function formatRatio(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 2 : 1)
}

const costHeads: Record<keyof Costs, string> = {
  reads: 'reads',
  keysRead: 'keys read',
  commits: 'commits',
  keysWritten: 'keys written',
  signatures: 'signatures',
  verifications: 'verifications',
  hashes: 'hashes',
  ciphers: 'ciphers',
}

/** The table of counted costs. */
export function renderCosts(counted: readonly CountedOperation[]): string {
  const kinds = Object.keys(costHeads) as (keyof Costs)[]
  const head = ['operation', ...kinds.map((kind) => costHeads[kind])]
  const body = counted.map(({ name, costs }) => [name, ...kinds.map((kind) => `${costs[kind]}`)])
  return `\nWhat one operation costs, counted\n\n${renderTable(head, body)}`
}

/** Who took part and what they do. */
export function renderContenders(contenders: readonly { name: string; about: string }[]): string {
  return contenders.map(({ name, about }) => `- ${name}: ${about}`).join('\n')
}

/** A Markdown table with columns as wide as they need to be. */
export function renderTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)),
  )
  const toLine = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [toLine(head), rule, ...body.map(toLine)].join('\n')
}
