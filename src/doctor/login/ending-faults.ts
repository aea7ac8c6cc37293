/** What is left of a login that was ended: a grant that goes on, a registration that stays. */
import type { Finding } from '../finding.ts'
import type { LoginVisit } from './login-visit.ts'
import { describeAnswer, hasToken, isSuccess } from './read-answers.ts'

/** Faults of revocation and removal. */
export function findEndingFaults(visit: LoginVisit): Finding[] {
  return [...findRevocationFaults(visit), ...findLeftovers(visit)]
}

function findRevocationFaults(visit: LoginVisit): Finding[] {
  const { token, ending, plan } = visit
  if (!hasToken(token)) return []
  if (plan.endpoints.revocation === undefined) return [toMissing()]
  if (ending === undefined) return []
  const { revocation, refresh, use } = ending
  if (!isSuccess(revocation))
    return [
      {
        id: 'revocation-refused',
        severity: 'risk',
        title: 'The revocation of a token fails',
        seen: `The revocation endpoint answered ${describeAnswer(revocation)}.`,
        why: 'Who presses “Disconnect” believes that the access is over, and it is not.',
        fix: 'Answer 200 to the client that the token belongs to, authenticated as at the token endpoint (RFC 7009 §2.2).',
        evidence: [revocation],
        breaks: [],
      },
    ]
  if (hasToken(refresh))
    return [
      {
        id: 'revoked-refresh-token-works',
        severity: 'risk',
        title: 'A revoked refresh token still works',
        seen: 'The revocation was answered 200, and the refresh after it brought a new token.',
        why: 'Who presses “Disconnect” believes that the access is over, and it goes on for good.',
        fix: 'End the whole grant when its refresh token is revoked (RFC 7009 §2.1).',
        evidence: [revocation, ...(refresh ? [refresh] : [])],
        breaks: [],
      },
    ]
  return isSuccess(use) ? [toLivingToken(visit)] : []
}

function toMissing(): Finding {
  return {
    id: 'revocation-missing',
    severity: 'note',
    title: 'There is no revocation endpoint',
    seen: 'The metadata has no revocation_endpoint.',
    why: 'Who presses “Disconnect” takes the tokens from the client only; they stay valid, those of this visit as well.',
    fix: 'Offer a revocation endpoint and name it in the metadata (RFC 7009). Until the tokens of this visit end, disconnect the app at the server if it lets you.',
    evidence: [],
    breaks: [],
  }
}

function toLivingToken({ ending, claims, tokenAt = 0 }: LoginVisit): Finding {
  const exp = claims?.exp
  const left = typeof exp === 'number' ? ` It ends in ${Math.max(0, exp - tokenAt)} s.` : ''
  return {
    id: 'revoked-access-token-works',
    severity: 'note',
    title: 'The access token is accepted after its grant was revoked',
    seen: `The revocation was answered 200, and the MCP server still answers the access token.${left}`,
    why: 'After “Disconnect” a copy of the token can be used until it ends by itself.',
    fix: 'Keep access tokens short, or let the MCP server ask whether the grant still stands (RFC 7662).',
    evidence: ending?.use ? [ending.use] : [],
    breaks: [],
  }
}

function findLeftovers({ registration, clientId, removal }: LoginVisit): Finding[] {
  if (!isSuccess(registration) || isSuccess(removal)) return []
  const client = clientId ?? 'whose id could not be read'
  return [
    {
      id: 'login-registration-left',
      severity: 'note',
      title: 'The registration of this visit is still there',
      seen:
        removal === undefined
          ? `The client is registered (${client}), and its registration has no address to remove it at.`
          : `The client is registered (${client}); its removal was answered ${describeAnswer(removal)}.`,
      why: 'The doctor removes what it makes; here it could not.',
      fix: `Remove the client (${client}) at the authorization server. Offer RFC 7592, so that clients can do it themselves.`,
      evidence: removal ? [removal] : [],
      breaks: [],
    },
  ]
}
