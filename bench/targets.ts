/** What Gatehouse is to reach, as ratios between neighbours of one run. */
import { bareName, floorName, peerName } from './contenders.ts'
import { findRatio, type Measured, type Ratio, type Speed } from './summary.ts'

/** At least so many times the speed of another. */
interface Target {
  readonly operation: string
  readonly contender: string
  readonly base: string
  readonly least: number
}

const memory = 'Gatehouse, memory'
const sqlite = 'Gatehouse, SQLite FULL'

/** One for each line of the table that the project set itself. */
const targets: readonly Target[] = [
  { operation: 'refresh', contender: memory, base: peerName, least: 2.5 },
  { operation: 'refresh', contender: memory, base: floorName, least: 0.55 },
  { operation: 'refresh', contender: sqlite, base: peerName, least: 1.5 },
  { operation: 'refresh', contender: 'Gatehouse, Redis', base: peerName, least: 1.5 },
  { operation: 'refresh', contender: 'Gatehouse, PostgreSQL', base: peerName, least: 1.2 },
  { operation: 'cycle', contender: memory, base: peerName, least: 4 },
  { operation: 'cycle', contender: sqlite, base: peerName, least: 2.5 },
  { operation: 'register', contender: memory, base: peerName, least: 3 },
  { operation: 'register', contender: sqlite, base: peerName, least: 1.5 },
  { operation: 'metadata', contender: memory, base: bareName, least: 0.8 },
  { operation: 'jwks', contender: memory, base: bareName, least: 0.8 },
]

/** A target and what was seen. */
export interface Verdict extends Target, Speed {
  readonly isMet: boolean
  /** Whether others were on the servers' core so much that only CPU time was judged. */
  readonly isDisturbed: boolean
}

/** Share of a core's time that others may take before operations per second mean nothing. */
const mostForeign = 0.1

/**
 * The targets of one operation, as far as their contenders took part. Met is met by CPU time and by
 * operations per second; by CPU time alone where others disturbed.
 */
export function judge(measured: Measured): Verdict[] {
  return targets.flatMap((target) => {
    if (target.operation !== measured.name) return []
    const speed = findRatio(measured, target.contender, target.base)
    if (!speed) return []
    const isDisturbed = measured.rows.some(
      ({ contender, foreign }) =>
        [target.contender, target.base].includes(contender) && foreign > mostForeign,
    )
    const judged = isDisturbed ? [speed.byCpu] : [speed.byCpu, speed.byRate]
    const isMet = judged.every(({ median }) => median >= target.least)
    return [{ ...target, ...speed, isMet, isDisturbed }]
  })
}

/** One line for each verdict. */
export function renderVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ contender, base, least, byCpu, byRate, ...verdict }) => {
      const seen = `${format(byCpu)} x ${base} by CPU time, ${format(byRate)} x by ops/s`
      return `- ${contender}: ${seen} (target >= ${least}): ${toWord(verdict)}`
    })
    .join('\n')
}

function toWord({ isMet, isDisturbed }: Pick<Verdict, 'isMet' | 'isDisturbed'>): string {
  const word = isMet ? 'met' : 'missed'
  return isDisturbed ? `${word} by CPU time; others on the core disturbed ops/s` : word
}

function format({ median, least, greatest }: Ratio): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}–${greatest.toFixed(2)})`
}
