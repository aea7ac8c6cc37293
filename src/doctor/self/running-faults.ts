/** Keys, clock, what lies outside, and the limits of the process. */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { memoryNeededBytes, openFilesNeeded, selfExplanations } from './explanations.ts'
import type { SelfFacts } from './self-facts.ts'

/** A key that is older than this beyond its time was forgotten: a running server makes the next one by then. */
const overdueSeconds = 2 * 86_400
/** Tokens that begin or end so far apart are refused somewhere. */
const skewSeconds = 30

/** Faults of the keys that sign tokens. */
export function findKeyFaults({ keys, now }: SelfFacts): Finding[] {
  const { signer, algorithm, rotationSeconds, hasNext } = keys
  if (signer === undefined) return []
  const late = now - signer.activeAt - rotationSeconds
  return [
    ...(late > overdueSeconds && hasNext !== true ? [toOverdue(signer.kid, late)] : []),
    ...(signer.algorithm === algorithm ? [] : [toOtherAlgorithm(signer.algorithm, algorithm)]),
  ]
}

function toOverdue(kid: string, late: number): Finding {
  return createFinding(selfExplanations, 'signing-key-overdue', {
    seen: `The key ${kid} signs for ${Math.floor(late / 86_400)} days longer than is configured, and no later one is published.`,
    evidence: [],
  })
}

function toOtherAlgorithm(has: string, wants: string): Finding {
  return createFinding(selfExplanations, 'signing-key-algorithm', {
    seen: `The key that signs is of ${has}, signingAlgorithm is ${wants}.`,
    evidence: [],
  })
}

/** Whether other machines have the same time. */
export function findClockFaults({ now, address, data, providers }: SelfFacts): Finding[] {
  const seen = [...providers.map(({ reached }) => reached), address.metadata]
  const { aheadSeconds, place } = data
  const clocks: readonly Clock[] = [
    ...(aheadSeconds === undefined ? [] : [{ aheadSeconds, whose: place, evidence: [] }]),
    ...seen.flatMap((one) => readClock(one, now)),
  ]
  const [worst] = clocks.toSorted((a, b) => Math.abs(b.aheadSeconds) - Math.abs(a.aheadSeconds))
  if (worst === undefined || Math.abs(worst.aheadSeconds) <= skewSeconds) return []
  const side = worst.aheadSeconds > 0 ? 'ahead of' : 'behind'
  return [
    createFinding(selfExplanations, 'clock-differs', {
      seen: `${worst.whose} is ${Math.abs(worst.aheadSeconds)} s ${side} this machine.`,
      evidence: worst.evidence,
    }),
  ]
}

/** The clock of another machine, against this one's. */
interface Clock {
  readonly aheadSeconds: number
  readonly whose: string
  readonly evidence: readonly Observation[]
}

/** By the `Date` of an answer. One that lay in a cache (`Age`) says nothing of now. */
function readClock(observation: Observation | undefined, now: number): Clock[] {
  const { date, age } = observation?.response?.headers ?? {}
  const then = Date.parse(date ?? '') / 1000
  if (observation === undefined || age !== undefined || Number.isNaN(then)) return []
  const whose = new URL(observation.request.url).host
  return [{ aheadSeconds: Math.round(then - now), whose, evidence: [observation] }]
}

/** Faults of what lies outside: identity providers, backends, documents of clients. */
export function findOutsideFaults({ providers, backends, documents }: SelfFacts): Finding[] {
  return [
    ...providers.flatMap(({ id, label, reached, problem }): Finding[] => {
      if (reached?.failure !== undefined) return [toUnreached(label, reached)]
      return problem === undefined ? [] : [toUnusable(`${label} (${id})`, problem)]
    }),
    ...backends.flatMap(({ id, problem }): Finding[] =>
      problem === undefined ? [] : [toBackendFault(id, problem)],
    ),
    ...(documents.some(({ problem }) => problem === undefined) ? [] : findEgressFault(documents)),
  ]
}

/** One host that answers shows that there is a way out. */
function findEgressFault(documents: SelfFacts['documents']): Finding[] {
  if (documents.length === 0) return []
  return [
    createFinding(selfExplanations, 'documents-unreachable', {
      seen: `${documents.map(({ host, problem }) => `${host}: ${problem}`).join('; ')}.`,
      evidence: [],
    }),
  ]
}

function toUnreached(label: string, reached: Observation): Finding {
  const { kind, detail } = reached.failure ?? { kind: '', detail: '' }
  return createFinding(selfExplanations, 'provider-unreachable', {
    seen: `${label}, ${reached.request.url}: ${detail}.`,
    fix:
      kind === 'name-not-found'
        ? 'Let this machine resolve the name (DNS), or correct the address of the provider.'
        : 'Let this machine make https connections to it (egress), or correct the address of the provider.',
    evidence: [reached],
  })
}

function toUnusable(provider: string, problem: string): Finding {
  return createFinding(selfExplanations, 'provider-problem', {
    seen: `${provider}: ${problem}`,
    evidence: [],
  })
}

function toBackendFault(id: string, problem: string): Finding {
  return createFinding(selfExplanations, 'backend-problem', {
    seen: `${id}: ${problem}.`,
    evidence: [],
  })
}

/** What the process may run out of. */
export function findProcessFaults({ process: { openFiles, memoryBytes } }: SelfFacts): Finding[] {
  const isFew = openFiles !== undefined && openFiles < openFilesNeeded
  const isSmall = memoryBytes !== undefined && memoryBytes < memoryNeededBytes
  return [
    ...(isFew ? [toFewFiles(openFiles)] : []),
    ...(isSmall ? [toLittleMemory(memoryBytes)] : []),
  ]
}

function toFewFiles(openFiles: number): Finding {
  return createFinding(selfExplanations, 'open-files-few', {
    seen: `The limit is ${openFiles}.`,
    evidence: [],
  })
}

function toLittleMemory(memoryBytes: number): Finding {
  return createFinding(selfExplanations, 'memory-small', {
    seen: `The limit is ${Math.floor(memoryBytes / 1024 / 1024)} MiB.`,
    evidence: [],
  })
}
