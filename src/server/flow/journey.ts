/**
 * The browser's journey as a state machine over one persisted record (`storage/records/flow.ts`).
 *
 *   begin ──▶ approve ──▶ sign-in ──▶ confirm ──▶ finish      nobody is signed in yet
 *   begin ──▶ consent ─────────────────────────▶ finish      a session is there: one page
 *
 * The beginning answers with its page itself (decision 16). Steps after it never lead to each other: each
 * commits its progress and sends the browser to the dispatcher (`GET /consent`), which shows whatever is
 * next. What the person sees follows from the record and the
 * session alone, never from what a form claims (catalogue AZ-25), and any instance can serve any step.
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { LiveSession } from '../../identity/sessions.ts'
import { equalInConstantTime } from '../../platform/crypto.ts'
import { type Flow, flows } from '../../storage/records/flow.ts'
import type { Stored } from '../../storage/records/record.ts'
import { findCookie } from '../cookies.ts'
import { type Browser, type FormBinding, findBrowser } from './browser.ts'
import { keepCounting } from './ways.ts'

/** What the person has to do now. */
export type Stage = 'approve' | 'consent' | 'sign-in' | 'confirm'

/** A flow, the browser it belongs to and who is signed in there, in a way that counts for it. */
export interface Journey {
  /** The request that continues it. */
  readonly request: Request
  readonly flow: Stored<Flow>
  readonly browser: Browser
  readonly session: LiveSession | undefined
  readonly stage: Stage
}

/** What a page of a journey shows of it. */
export type ShownJourney = Pick<Journey, 'browser' | 'session' | 'stage'> & {
  readonly flow: Pick<Stored<Flow>, 'value'>
}

/**
 * The journey that a request of its own browser continues.
 *
 * @throws OAuthError `invalid_request` (a page) when it is over or belongs to another browser
 */
export async function resolveJourney(
  request: Request,
  flowId: string | undefined,
  context: RequestContext,
): Promise<Journey> {
  const [flow, present] = await Promise.all([
    findFlow(flowId, context),
    context.sessions.find(findCookie(request, 'session', context.config.issuer)),
  ])
  if (!flow) {
    throw new OAuthError('invalid_request', 'This sign-in is over; start it again from the app', {
      reason: 'flow_unknown',
    })
  }
  const browser = findBrowser(request, `flow-${flow.value.id}`, context)
  if (!browser || !equalInConstantTime(flow.value.browserHash, browser.hash)) {
    throw new OAuthError('invalid_request', 'This sign-in was started in another browser', {
      reason: 'other_browser',
    })
  }
  const session = keepCounting(present, flow.value, context)
  return { request, flow, browser, session, stage: resolveStage(flow.value, session) }
}

async function findFlow(id: string | undefined, context: RequestContext) {
  if (id === undefined || !/^[A-Za-z0-9_-]{22}$/.test(id)) return undefined
  return flows.find(context.store, id)
}

/** What the person has to do, by the record and the session that counts for it. */
export function resolveStage(flow: Flow, session: LiveSession | undefined): Stage {
  const counts = session !== undefined && !flow.freshSignIn
  if (flow.step === 'approve') return counts ? 'consent' : 'approve'
  const signedInHere = flow.step === 'confirm' && session?.user.record.value.id === flow.userId
  return counts || signedInHere ? 'confirm' : 'sign-in'
}

/** The address of the dispatcher for a flow. */
export function toFlowPath(flowId: string, { config }: Pick<RequestContext, 'config'>): string {
  return `${config.paths.consent}?flow=${flowId}`
}

/** What the form on the journey's page is bound to. A session that does not count there may end meanwhile. */
export function toFormBinding(
  { flow, session, stage }: ShownJourney,
  context: Pick<RequestContext, 'config'>,
): FormBinding {
  const { id } = flow.value
  const counts = stage === 'consent' || stage === 'confirm'
  const hash = (counts && session?.hash) || ''
  return { subject: id, step: stage, session: hash, retryPath: toFlowPath(id, context) }
}

/**
 * Commits progress on the flow, if nobody moved it in the meantime.
 *
 * @throws OAuthError `invalid_request` (a page) when somebody did
 */
export async function saveProgress(
  flow: Stored<Flow>,
  progress: Partial<Flow>,
  context: RequestContext,
): Promise<void> {
  const next: Flow = { ...flow.value, ...progress }
  const saved = await context.store.commit({
    check: [{ key: flow.key, version: flow.version }],
    set: [flows.write(flow.key, next, next.expiresAt)],
  })
  if (!saved) throw refuseMoved(flow.value, context)
}

/** The refusal of a step that was taken from a state of the flow that is past. */
export function refuseMoved({ id }: Flow, context: Pick<RequestContext, 'config'>): OAuthError {
  return new OAuthError('invalid_request', 'This step was already taken in another tab', {
    reason: 'flow_moved',
    retryPath: toFlowPath(id, context),
  })
}
