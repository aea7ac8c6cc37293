/** From samples to medians of ratios, and to tables. */
import type { Costs, CountedOperation } from './costs.ts'
import type { Load, Sample } from './load.ts'
import { names } from './operations.ts'
import { findMedian, findQuantile } from './statistics.ts'

/** One contender under one load. */
export interface Row {
  readonly contender: string
  readonly concurrency: number
  /** CPU time of the server's process for one operation, in microseconds; median of the rounds. */
  readonly cpuMicroseconds: number
  /** To the bare server of the same round: median, least and greatest. */
  readonly toBare: Ratio
  /** To `oidc-provider` of the same round, where it takes part. */
  readonly toPeer: Ratio | undefined
  /** Latency of one operation over all rounds, in milliseconds. */
  readonly medianMilliseconds: number
  readonly p99Milliseconds: number
}

/** A ratio over the rounds. */
export interface Ratio {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

/** All that was measured of one operation. */
export interface Measured {
  readonly name: string
  readonly about: string
  readonly rounds: number
  readonly operationsPerSample: number
  readonly rows: readonly Row[]
}

/** A sample and where it belongs. */
interface Taken {
  readonly contender: string
  readonly load: Load
  readonly sample: Sample
}

/** The medians of an operation. Samples come in the order in which they were taken. */
export function summarize(
  { name, about }: { name: string; about: string },
  samples: readonly Taken[],
): Measured {
  const contenders = [...new Set(samples.map(({ contender }) => contender))]
  const loads = [...new Set(samples.map(({ load }) => load.concurrency))]
  const rows = loads.flatMap((concurrency) =>
    Object.values(names)
      .filter((known) => contenders.includes(known))
      .map((contender) => toRow(contender, concurrency, samples)),
  )
  const rounds = samples.length / Math.max(1, contenders.length * loads.length)
  const operationsPerSample = Math.min(...samples.map(({ load }) => load.count))
  return { name, about, rounds, operationsPerSample, rows }
}

function toRow(contender: string, concurrency: number, samples: readonly Taken[]): Row {
  const find = (wanted: string) =>
    samples.flatMap(({ contender: one, load, sample }) =>
      one === wanted && load.concurrency === concurrency ? [sample] : [],
    )
  const own = find(contender)
  const peer = find(names.peer)
  const latencies = own.flatMap((sample) => sample.latencies)
  return {
    contender,
    concurrency,
    cpuMicroseconds: findMedian(own.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    toBare: toRatio(own, find(names.bare)),
    toPeer: peer.length > 0 ? toRatio(own, peer) : undefined,
    medianMilliseconds: findMedian(latencies),
    p99Milliseconds: findQuantile(latencies, 0.99),
  }
}

/** Round by round: what disturbs one sample disturbs its neighbours too. */
function toRatio(own: readonly Sample[], base: readonly Sample[]): Ratio {
  const ratios = own.map(
    ({ cpuMicroseconds }, round) => cpuMicroseconds / (base[round]?.cpuMicroseconds ?? Number.NaN),
  )
  return { median: findMedian(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) }
}

/** The table of one operation. */
export function renderOperation({
  name,
  about,
  rounds,
  operationsPerSample,
  rows,
}: Measured): string {
  const head = [
    'in flight',
    'server',
    'CPU µs',
    '× bare (least–greatest)',
    '× oidc-provider',
    'p50 ms',
    'p99 ms',
  ]
  const body = rows.map((row) => [
    String(row.concurrency),
    row.contender,
    row.cpuMicroseconds.toFixed(0),
    `${formatRatio(row.toBare.median)} (${formatRatio(row.toBare.least)}–${formatRatio(row.toBare.greatest)})`,
    row.toPeer ? formatRatio(row.toPeer.median) : '',
    row.medianMilliseconds.toFixed(2),
    row.p99Milliseconds.toFixed(2),
  ])
  const title = `\n${name}: ${about}\n${rounds} rounds of ${operationsPerSample} operations; CPU is that of the server's process, per operation\n`
  return `${title}\n${renderTable(head, body)}`
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

/** A Markdown table, so that it can go into a document as it is. */
function renderTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...body.map((row) => row[column]?.length ?? 0)),
  )
  const toLine = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [toLine(head), rule, ...body.map(toLine)].join('\n')
}
