/** What is wrong up to the callback: registration, the person's way, `state` and `iss`. */
import type { Finding } from '../finding.ts'
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
  return {
    id: 'login-registration-refused',
    severity: 'fault',
    title: 'The registration of a client that receives on loopback brings no client id',
    seen: `The registration was answered with ${registration ? describeAnswer(registration) : 'nothing'}.`,
    why: 'Clients on a laptop or at a terminal register an address such as http://127.0.0.1:3118/callback.',
    fix: 'Let the registration endpoint answer 201 with a client_id, also for http redirect URIs on 127.0.0.1 and localhost (RFC 8252 §7.3).',
    evidence: registration ? [registration] : [],
    breaks: ['registration-succeeds'],
  }
}

function toTimeOut({ plan }: LoginVisit): Finding {
  return {
    id: 'login-not-finished',
    severity: 'note',
    title: 'Nobody came back from the browser in time',
    seen: `No request came to the redirect URI after the page at ${new URL(plan.endpoints.authorization).origin} was opened.`,
    why: 'Everything behind the sign-in was not looked at.',
    fix: 'Run it again and finish the sign-in, with more time if you need it: --wait SECONDS. If you did allow it, the server never sent the browser on to the redirect URI: its own error page says why.',
    evidence: [],
    breaks: [],
  }
}

function toRefusal({ callback }: LoginVisit): Finding {
  const { error = '', errorDescription } = callback ?? {}
  const isPerson = error === 'access_denied'
  return {
    id: isPerson ? 'login-denied' : 'login-error',
    severity: isPerson ? 'note' : 'fault',
    title: isPerson
      ? 'The authorization was denied'
      : 'The authorization server sends the browser back with an error',
    seen: `The callback carries error=${error}${errorDescription === undefined ? '' : `: ${errorDescription}`}.`,
    why: isPerson
      ? 'Whoever pressed “Deny” did so; otherwise the server or its identity provider refuses this person.'
      : 'The client stops here and shows the error to its user.',
    fix: isPerson
      ? 'If nobody denied it, look for the reason in the log of the authorization server.'
      : 'Look for the reason in the log of the authorization server; for invalid_scope and invalid_target compare the parameters of the authorization request with what the server knows.',
    gatehouse: isPerson ? 'invitedOnly, providers[].allow' : undefined,
    evidence: [],
    ...(isPerson ? {} : { stops: 'authorize' as const }),
    breaks: [],
  }
}

function toLostState({ callback }: LoginVisit): Finding {
  return {
    id: 'login-state-lost',
    severity: 'fault',
    title: 'The state does not come back as it was sent',
    seen: `The browser came back to ${callback?.url ?? ''} without the state of this login.`,
    why: 'By the state a client knows that the answer is to its own question; it refuses any other (RFC 6749 §10.12).',
    fix: 'Hand the value of state from the authorization request back in the redirect, byte by byte: do not decode, shorten or replace it, also when an identity provider comes in between.',
    evidence: [],
    stops: 'authorize',
    breaks: [],
  }
}

function toMissingCode({ callback }: LoginVisit): Finding {
  return {
    id: 'login-code-missing',
    severity: 'fault',
    title: 'The callback has neither a code nor an error',
    seen: `The browser came back to ${callback?.url ?? ''}.`,
    why: 'Without a code there is no token. Claude says “code: Field required”.',
    fix: 'Redirect with code and state in the query, not in the fragment (response_mode=query, RFC 6749 §4.1.2).',
    evidence: [],
    stops: 'authorize',
    breaks: [],
  }
}

function findIssFaults({ callback, plan }: LoginVisit): Finding[] {
  const iss = callback?.iss
  if (iss === undefined && !plan.promisesIss) return []
  if (iss === plan.issuer) return []
  const isMissing = iss === undefined
  return [
    {
      id: isMissing ? 'login-iss-missing' : 'login-iss-different',
      severity: 'fault',
      title: isMissing
        ? 'The callback lacks iss although the metadata promises it'
        : 'The iss of the callback is not the issuer',
      seen: isMissing
        ? 'authorization_response_iss_parameter_supported is true, and the callback has no iss.'
        : `iss is ${JSON.stringify(iss)}, the issuer is ${JSON.stringify(plan.issuer)}.`,
      why: 'Clients compare the two byte by byte, so that no other server can pass its answer off as this one’s (RFC 9207 §2.4).',
      fix: isMissing
        ? 'Add iss with the issuer of the metadata to every redirect, of codes and of errors; or stop promising it.'
        : `Send iss=${plan.issuer} exactly: the same scheme, host and path as in the metadata, and no slash more or less.`,
      evidence: [],
      breaks: ['iss-if-advertised'],
    },
  ]
}
