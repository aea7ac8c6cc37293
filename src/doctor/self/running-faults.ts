/** Keys, clock, what lies outside, and the limits of the process. */
import type { Finding } from '../finding.ts'
import type { Observation } from '../observation.ts'
import type { SelfFacts } from './self-facts.ts'

const none = { evidence: [], breaks: [] } as const
/** A key that is older than this beyond its time was forgotten: a running server makes the next one by then. */
const overdueSeconds = 2 * 86_400
/** Tokens that begin or end so far apart are refused somewhere. */
const skewSeconds = 30
const openFilesNeeded = 1024
const memoryNeededBytes = 192 * 1024 * 1024

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
  return {
    ...none,
    id: 'signing-key-overdue',
    severity: 'risk',
    title: 'The signing key should have been replaced',
    seen: `The key ${kid} signs for ${Math.floor(late / 86_400)} days longer than is configured, and no later one is published.`,
    why: 'A running server makes the next key by itself. If yours runs, it does not use this store, or its jobs do not run.',
    fix: 'Restart the server and look at its log; gatehouse keys rotate makes a key by hand.',
    gatehouse: 'signingKeyRotationSeconds',
  }
}

function toOtherAlgorithm(has: string, wants: string): Finding {
  return {
    ...none,
    id: 'signing-key-algorithm',
    severity: 'note',
    title: 'Tokens are signed with another algorithm than is configured',
    seen: `The key that signs is of ${has}, signingAlgorithm is ${wants}.`,
    why: 'The server makes a key of the new algorithm at its next start, and signs with it soon after.',
    fix: 'Restart the server, if it has not been since the change.',
    gatehouse: 'signingAlgorithm',
  }
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
    {
      ...none,
      id: 'clock-differs',
      severity: 'risk',
      title: 'The clock of this machine is not that of others',
      seen: `${worst.whose} is ${Math.abs(worst.aheadSeconds)} s ${side} this machine.`,
      why: 'Tokens begin and end by the clock: backends refuse ours, and we refuse those of providers.',
      fix: 'Synchronize the clock of this machine (NTP); timedatectl says whether it is.',
      evidence: worst.evidence,
    },
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
      if (reached?.failure !== undefined) return [toUnreached(id, label, reached)]
      return problem === undefined ? [] : [toUnusable(id, label, problem)]
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
    {
      ...none,
      id: 'documents-unreachable',
      severity: 'fault',
      title: 'The metadata documents of clients cannot be read from this machine',
      seen: `${documents.map(({ host, problem }) => `${host}: ${problem}`).join('; ')}.`,
      why: 'Clients that have a document name its address and do not register. Of some large vendors Gatehouse has copies; all others are turned away when they sign in.',
      fix: 'Let this machine resolve public names and make https connections to the internet (egress); proxies of the environment are not used for addresses that clients name. Or set clientMetadataDocuments: false, so that clients register.',
      gatehouse: 'clientMetadataDocuments',
    },
  ]
}

function toUnreached(id: string, label: string, reached: Observation): Finding {
  const { kind, detail } = reached.failure ?? { kind: '', detail: '' }
  return {
    ...none,
    id: 'provider-unreachable',
    severity: 'fault',
    title: `${label} cannot be reached from this machine`,
    seen: `${reached.request.url}: ${detail}.`,
    why: `Nobody can sign in with the provider ${id}: Gatehouse fetches its documents and trades codes there.`,
    fix:
      kind === 'name-not-found'
        ? 'Let this machine resolve the name (DNS), or correct the address of the provider.'
        : 'Let this machine make https connections to it (egress), or correct the address of the provider.',
    gatehouse: 'providers',
    evidence: [reached],
  }
}

function toUnusable(id: string, label: string, problem: string): Finding {
  return {
    ...none,
    id: 'provider-problem',
    severity: 'fault',
    title: `Nobody can sign in with ${label}`,
    seen: `The provider ${id}: ${problem}`,
    why: 'Every sign-in would end with an error page.',
    fix: 'Compare issuer, client id, client secret and callback with what is registered at the provider.',
    gatehouse: 'providers',
  }
}

function toBackendFault(id: string, problem: string): Finding {
  return {
    ...none,
    id: 'backend-problem',
    severity: 'fault',
    title: `The MCP server behind ${id} cannot be used`,
    seen: `${problem}.`,
    why: 'People sign in and allow everything, and then nothing answers.',
    fix: 'Do what the message says; it is asked anew at every start.',
    gatehouse: 'backends[].to, backends[].command',
  }
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
  return {
    ...none,
    id: 'open-files-few',
    severity: 'risk',
    title: 'A process of this user may open few files',
    seen: `The limit is ${openFiles}.`,
    why: 'Each connection of a client and to a backend counts as one; at the limit new ones are refused.',
    fix: `Raise it to ${openFilesNeeded} at least: ulimit -n, LimitNOFILE of systemd, ulimits of Docker.`,
  }
}

function toLittleMemory(memoryBytes: number): Finding {
  return {
    ...none,
    id: 'memory-small',
    severity: 'risk',
    title: 'A process here may have little memory',
    seen: `The limit is ${Math.floor(memoryBytes / 1024 / 1024)} MiB.`,
    why: 'Each check of a password takes some of it for a moment, and the process is killed when there is none.',
    fix: `Give the container ${memoryNeededBytes / 1024 / 1024} MiB at least.`,
  }
}
