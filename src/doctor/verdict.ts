/** What each client would do, judged by the findings and by how far it came. */
import {
  type ClientProfile,
  type Requirement,
  requirements,
  type Step,
} from '../profiles/profile.ts'
import { findServerMetadata } from './documents.ts'
import type { Finding, Verdict } from './finding.ts'
import { opensOldStream } from './old-transport.ts'
import { goesOn } from './places.ts'
import { findWall } from './reading.ts'
import { seeAs } from './views.ts'
import type { ClientVisit, SharedVisit, Visit } from './visit.ts'

/** The steps in the order in which a client takes them. */
const steps: readonly Step[] = [
  'reach',
  'discover',
  'register',
  'authorize',
  'token',
  'use',
  'refresh',
]

/** Judges every client of a visit, in the order in which they were played. */
export function judge(visit: Visit, findings: readonly Finding[]): Verdict[] {
  return visit.clients.map((client) => judgeClient(client, findings))
}

function judgeClient(visit: ClientVisit, findings: readonly Finding[]): Verdict {
  const { id, name } = visit.profile
  const client = { id, name }
  const [first] = findStumbles(visit.profile, findings)
  if (first !== undefined) {
    return {
      client,
      outcome: 'stumbles',
      step: first.step,
      finding: first.finding.id,
      ...(first.words === undefined ? {} : { words: first.words }),
    }
  }
  return { client, outcome: hasPage(visit) ? 'connects' : 'unknown' }
}

/** One thing that a client trips over. */
export interface Stumble {
  readonly finding: Finding
  readonly step: Step
  /** What its user sees. */
  readonly words?: string
}

/** Everything that a client trips over: by step, and within a step in the order of the findings. */
export function findStumbles(profile: ClientProfile, findings: readonly Finding[]): Stumble[] {
  return findings
    .filter(({ severity }) => severity === 'fault')
    .flatMap((finding) => findStumble(profile, finding) ?? [])
    .sort((a, b) => steps.indexOf(a.step) - steps.indexOf(b.step))
}

function findStumble(profile: ClientProfile, finding: Finding): Stumble | undefined {
  const { only, stops, breaks } = finding
  if (only !== undefined && !only.includes(profile.id)) return undefined
  const [requirement] = breaks
    .filter((one) => profile.requires.includes(one))
    .sort((a, b) => steps.indexOf(requirements[a]) - steps.indexOf(requirements[b]))
  const [step] = [stops, requirement && requirements[requirement]]
    .filter((one) => one !== undefined)
    .sort((a, b) => steps.indexOf(a) - steps.indexOf(b))
  if (step === undefined) return undefined
  const words = findWords(profile, step, requirement)
  return { finding, step, ...(words === undefined ? {} : { words }) }
}

/**
 * What the user of a client sees when it gives up: its words for the requirement, else for the step. Until it
 * opens the browser a client tells steps apart badly, so those of the nearest step before count as well.
 */
export function findWords(
  { failures }: ClientProfile,
  step: Step,
  requirement?: Requirement,
): string | undefined {
  const own = requirement && failures.of?.[requirement]
  if (own !== undefined) return own
  if (steps.indexOf(step) >= steps.indexOf('authorize')) return failures[step]
  const before = steps.slice(0, steps.indexOf(step) + 1).reverse()
  return before.map((one) => failures[one]).find((words) => words !== undefined)
}

/** Whether it came to a page, or was sent on to one: that is as far as it goes without a person. */
function hasPage({ authorize }: ClientVisit): boolean {
  const { status = 0, headers = {} } = authorize?.response ?? {}
  const isRefusal = /[?&#]error=/.test(headers['location'] ?? '')
  return status >= 200 && status < 400 && !isRefusal
}

/** Why nothing can be said about a client, in words that end a sentence. */
export function explainUnknown(client: ClientVisit, shared: SharedVisit): string {
  const { profile, identification, registration, authorize } = client
  if (identification === 'skipped') return 'nothing stops it so far; more would take a registration'
  if (identification === 'typed-in')
    return 'nothing stops it so far; somebody has to type a client id into it'
  if (identification === 'none') return explainNoClientId(profile, seeAs(shared, client))
  if (registration !== undefined && authorize === undefined)
    return 'its registration came to nothing'
  const wall = authorize?.response && findWall(authorize.response)
  if (wall) return `a page of ${wall.by} is in front of the sign-in page; see in a browser`
  return 'it came to no page where a person could sign in'
}

function explainNoClientId(profile: ClientProfile, shared: SharedVisit): string {
  const { post, get } = shared
  const { status = 0 } = post.response ?? {}
  const isOpen = (status >= 200 && status < 300) || opensOldStream({ get })
  if (isOpen) return 'the server asks for no token: there is no sign-in'
  if (findServerMetadata(shared)) return 'it found no way to a client id'
  return goesOn(shared, profile)
    ? 'it goes on to the next authorization server that is named, where the doctor does not look'
    : 'no metadata says where to sign in'
}
