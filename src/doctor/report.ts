/** Everything that the doctor has to say about one server, in the order in which it is said. */
import { isLoopbackHost } from '../platform/host.ts'
import type { Finding, Severity, Verdict } from './finding.ts'
import { maskText } from './masking.ts'
import type { Failure, HostFacts, Observation } from './observation.ts'
import { explainUnknown, findStumbles, judge } from './verdict.ts'
import type { ClientVisit, Visit } from './visit.ts'

/** A report. */
export interface Report {
  /** The MCP URL that was visited. */
  readonly url: string
  /** Unix seconds. */
  readonly visitedAt: number
  /** What answers there, without a word to it. */
  readonly host: HostFacts | Failure
  readonly verdicts: readonly ClientVerdict[]
  /** Faults first, then risks, then notes; of each the cause before its consequences. */
  readonly findings: readonly ReportedFinding[]
  readonly leftBehind: readonly LeftBehind[]
  readonly documentsShown: readonly DocumentShown[]
  /** How many requests were sent. */
  readonly requests: number
}

/** A verdict with the reason of one that is none. */
export interface ClientVerdict extends Verdict {
  /** Why nothing can be said, for `unknown`. */
  readonly reason?: string
}

/** A finding and the clients that stumble over it. */
export interface ReportedFinding extends Finding {
  readonly clients: readonly {
    readonly id: string
    readonly name: string
    /** What their user sees, whether or not they come so far. */
    readonly words?: string
  }[]
}

/** A registration that could not be removed again. */
export interface LeftBehind {
  /** Name of the client that was played. */
  readonly client: string
  /** Absent where the answer to the registration could not be read. */
  readonly clientId?: string
  /** Where it was registered. */
  readonly endpoint: string
}

/**
 * A client that needed no registration: its id is the address of its metadata document, which the server has
 * read and may remember. Nobody but the server can make it forget.
 */
export interface DocumentShown {
  /** Name of the client that was played. */
  readonly client: string
  readonly clientId: string
}

/** What becomes of {@link DocumentShown}, after the names of the clients and a colon. */
export const documentsShownWords =
  'the visit registered nothing. Their ids are addresses of metadata documents, which the server may remember for a while; a Gatehouse lists them among its clients for two days.'

/** Longest text of a finding, in characters. */
const textShown = 2000

const severities: readonly Severity[] = ['fault', 'risk', 'note']

/** Puts a report together. */
export function createReport(visit: Visit, found: readonly Finding[]): Report {
  const local = found.map((finding) => fitToPlace(finding, visit))
  const findings = severities.flatMap((one) => local.filter(({ severity }) => severity === one))
  return {
    url: maskText(visit.shared.url.href),
    visitedAt: visit.shared.now,
    host: visit.shared.host,
    verdicts: judge(visit, findings).map((verdict, index) => addReason(verdict, visit, index)),
    findings: findings.map((finding) => toReported(finding, visit)),
    leftBehind: visit.clients.flatMap((client) => findLeftBehind(client) ?? []),
    documentsShown: visit.clients.flatMap((client) => findDocumentShown(client) ?? []),
    requests: listObservations(visit).filter(({ failure }) => failure?.kind !== 'not-sent').length,
  }
}

/** Whether the URL is of the machine itself: somebody who develops knows that nobody else comes there. */
export function visitsThisMachine({ shared }: Visit): boolean {
  return isLoopbackHost(shared.url.hostname)
}

/**
 * An address that is not public keeps hosted clients out. On loopback that is said once and the rest judged
 * as if they could come; for a public checker, which does not go there, it is all there is to say.
 */
function fitToPlace(finding: Finding, visit: Visit): Finding {
  if (!finding.breaks.includes('public-address') || finding.stops !== undefined) return finding
  if (visit.shared.post.failure?.kind === 'not-sent') return { ...finding, stops: 'reach' }
  return visitsThisMachine(visit) ? { ...finding, severity: 'note' } : finding
}

/** The URL may hold a key of the person who typed it. */
function toReported(finding: Finding, visit: Visit): ReportedFinding {
  const { seen, fix } = finding
  const clients = findClients(visit, finding)
  return { ...finding, seen: toShown(seen), fix: toShown(fix), clients }
}

/** What a server wrote may stand in it, and be of any length. */
function toShown(text: string): string {
  const open = maskText(text)
  return open.length > textShown ? `${open.slice(0, textShown)}…` : open
}

function addReason(verdict: Verdict, visit: Visit, index: number): ClientVerdict {
  const client = visit.clients[index]
  if (verdict.outcome !== 'unknown' || client === undefined) return verdict
  return { ...verdict, reason: explainUnknown(client, visit.shared) }
}

function findClients(visit: Visit, finding: Finding): ReportedFinding['clients'] {
  return visit.clients.flatMap(({ profile }) => {
    const [stumble] = findStumbles(profile, [{ ...finding, severity: 'fault' }])
    if (stumble === undefined) return []
    const { words } = stumble
    return [{ id: profile.id, name: profile.name, ...(words === undefined ? {} : { words }) }]
  })
}

function findLeftBehind({
  profile,
  registration,
  clientId,
  removal,
}: ClientVisit): LeftBehind | undefined {
  if (!isSuccess(registration) || isSuccess(removal)) return undefined
  const endpoint = registration?.request.url ?? ''
  const id = clientId === undefined ? {} : { clientId: clientId.slice(0, textShown) }
  return { client: profile.name, ...id, endpoint }
}

/** A refusal leaves nothing: the document was not read, or not taken. */
function findDocumentShown(client: ClientVisit): DocumentShown | undefined {
  const { profile, identification, clientId, authorize } = client
  const { status = 0 } = authorize?.response ?? {}
  if (identification !== 'document' || clientId === undefined) return undefined
  return status >= 200 && status < 400 ? { client: profile.name, clientId } : undefined
}

function isSuccess(observation: Observation | undefined): boolean {
  const { status = 0 } = observation?.response ?? {}
  return status >= 200 && status < 300
}

/** Everything that was seen, each once, in the order in which it was asked. */
export function listObservations({ shared, clients }: Visit): readonly Observation[] {
  const all = [
    shared.post,
    shared.get,
    shared.head,
    shared.discover,
    shared.preflight,
    ...Object.values(shared.resourceMetadata),
    ...Object.values(shared.serverMetadata),
    ...Object.values(shared.next?.serverMetadata ?? {}),
    shared.jwks,
    shared.fromBrowser,
    ...clients.flatMap(({ server, registration, postponed, authorize, signIn, removal }) => [
      ...Object.values(server?.serverMetadata ?? {}),
      registration,
      postponed,
      authorize,
      signIn,
      removal,
    ]),
  ]
  return [...new Set(all.filter((one) => one !== undefined))]
}
