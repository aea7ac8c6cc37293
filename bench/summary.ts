/** From samples to medians, and to ratios between neighbours of one round. */
import type { Sample } from './load.ts'
import { findMedian, findQuantile } from './statistics.ts'

/** A sample and whose it is. Samples come in the order in which they were taken. */
export interface Taken {
  readonly contender: string
  readonly sample: Sample
}

/** All that was measured of one operation. */
export interface Measured {
  readonly name: string
  readonly about: string
  readonly base: string
  readonly rounds: number
  readonly rows: readonly Row[]
  readonly taken: readonly Taken[]
}

/** One contender: medians of the rounds. */
export interface Row {
  readonly contender: string
  readonly perSecond: number
  /** CPU time of the server's process for one operation, in microseconds. */
  readonly cpuMicroseconds: number
  readonly busy: number
  readonly foreign: number
  /** Latency of one operation over all rounds, in milliseconds. */
  readonly medianMilliseconds: number
  readonly p99Milliseconds: number
  /** To the base of the table; undefined where that took no part. */
  readonly speed: Speed | undefined
}

/** How many times as fast as another; greater is faster. */
export interface Speed {
  readonly byCpu: Ratio
  readonly byRate: Ratio
}

/** A ratio over the rounds. */
export interface Ratio {
  readonly median: number
  readonly least: number
  readonly greatest: number
}

/** The medians of an operation, contenders in the order given. */
export function summarize(
  { name, about, base }: Pick<Measured, 'name' | 'about' | 'base'>,
  contenders: readonly string[],
  taken: readonly Taken[],
): Measured {
  const rounds = taken.length / Math.max(1, contenders.length)
  const rows = contenders.map((contender) => toRow(contender, base, taken))
  return { name, about, base, rounds, rows, taken }
}

/** How many times as fast a contender is as another; undefined unless both took part. */
export function findRatio(
  { taken }: Pick<Measured, 'taken'>,
  contender: string,
  base: string,
): Speed | undefined {
  const own = findSamples(taken, contender)
  const others = findSamples(taken, base)
  const pairs = own.flatMap((sample, round) => {
    const other = others[round]
    return other ? [{ sample, other }] : []
  })
  if (pairs.length === 0) return undefined
  return {
    byCpu: toRatio(
      pairs.map(({ sample, other }) => other.cpuMicroseconds / sample.cpuMicroseconds),
    ),
    byRate: toRatio(pairs.map(({ sample, other }) => sample.perSecond / other.perSecond)),
  }
}

function findSamples(taken: readonly Taken[], wanted: string): Sample[] {
  return taken.flatMap(({ contender, sample }) => (contender === wanted ? [sample] : []))
}

/** Round by round: what disturbs one sample disturbs its neighbours too. */
export function toRatio(ratios: readonly number[]): Ratio {
  return { median: findMedian(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) }
}

function toRow(contender: string, base: string, taken: readonly Taken[]): Row {
  const own = findSamples(taken, contender)
  const latencies = own.flatMap((sample) => sample.latencies)
  return {
    contender,
    perSecond: findMedian(own.map(({ perSecond }) => perSecond)),
    cpuMicroseconds: findMedian(own.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    busy: findMedian(own.map(({ busy }) => busy)),
    foreign: findMedian(own.map(({ foreign }) => foreign)),
    medianMilliseconds: findMedian(latencies),
    p99Milliseconds: findQuantile(latencies, 0.99),
    speed: findRatio({ taken }, contender, base),
  }
}
