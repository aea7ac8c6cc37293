/** What is wrong up to the callback: registration, the person's way, `state` and `iss`. */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import { loginExplanations } from './explanations.ts'
import type { LoginVisit } from './login-visit.ts'
import { describeAnswer } from './read-answers.ts'

/** Faults of the first half of a login, the first one first. */
export function findCallbackFaults(visit: LoginVisit): Finding[] {
  const { registration, clientId, callback } = visit
  if (registration !== undefined && clientId === undefined) return [toRegistrationFault(visit)]
  if (visit.ended !== undefined) return visit.ended === 'timed-out' ? [toTimeOut(visit)] : []
  if (callback === undefined) return []
  if (callback.error !== undefined) return [toRefusal(visit), ...findIssFaults(visit)]
  if (!callback.isStateOurs) return [toLostState(visit)]
  return callback.hasCode ? findIssFaults(visit) : [toMissingCode(visit)]
}

function toRegistrationFault({ registration }: LoginVisit): Finding {
  return createFinding(loginExplanations, 'login-registration-refused', {
    seen: `The registration was answered with ${registration ? describeAnswer(registration) : 'nothing'}.`,
    evidence: registration ? [registration] : [],
  })
}

function toTimeOut({ plan }: LoginVisit): Finding {
  return createFinding(loginExplanations, 'login-not-finished', {
    seen: `No request came to the redirect URI after the page at ${new URL(plan.endpoints.authorization).origin} was opened.`,
    evidence: [],
  })
}

function toRefusal({ callback }: LoginVisit): Finding {
  const { error = '', errorDescription } = callback ?? {}
  const id = error === 'access_denied' ? 'login-denied' : 'login-error'
  const said = errorDescription === undefined ? '' : `: ${errorDescription}`
  const seen = `The callback carries error=${error}${said}.`
  return createFinding(loginExplanations, id, { seen, evidence: [] })
}

function toLostState({ callback }: LoginVisit): Finding {
  return createFinding(loginExplanations, 'login-state-lost', {
    seen: `The browser came back to ${callback?.url ?? ''} without the state of this login.`,
    evidence: [],
  })
}

function toMissingCode({ callback }: LoginVisit): Finding {
  return createFinding(loginExplanations, 'login-code-missing', {
    seen: `The browser came back to ${callback?.url ?? ''}.`,
    evidence: [],
  })
}

function findIssFaults({ callback, plan }: LoginVisit): Finding[] {
  const iss = callback?.iss
  if (iss === plan.issuer) return []
  if (iss !== undefined) return [toOtherIss(iss, plan.issuer)]
  if (!plan.promisesIss) return []
  const seen =
    'authorization_response_iss_parameter_supported is true, and the callback has no iss.'
  return [createFinding(loginExplanations, 'login-iss-missing', { seen, evidence: [] })]
}

function toOtherIss(iss: string, issuer: string): Finding {
  return createFinding(loginExplanations, 'login-iss-different', {
    seen: `iss is ${JSON.stringify(iss)}, the issuer is ${JSON.stringify(issuer)}.`,
    fix: `Send iss=${issuer} exactly: the same scheme, host and path as in the metadata, and no slash more or less.`,
    evidence: [],
  })
}
