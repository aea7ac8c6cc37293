/** What is left of a login that was ended: a grant that goes on, a registration that stays. */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import { loginExplanations } from './explanations.ts'
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
      createFinding(loginExplanations, 'revocation-refused', {
        seen: `The revocation endpoint answered ${describeAnswer(revocation)}.`,
        evidence: [revocation],
      }),
    ]
  if (hasToken(refresh))
    return [
      createFinding(loginExplanations, 'revoked-refresh-token-works', {
        seen: 'The revocation was answered 200, and the refresh after it brought a new token.',
        evidence: [revocation, ...(refresh ? [refresh] : [])],
      }),
    ]
  return isSuccess(use) ? [toLivingToken(visit)] : []
}

function toMissing(): Finding {
  return createFinding(loginExplanations, 'revocation-missing', {
    seen: 'The metadata has no revocation_endpoint.',
    evidence: [],
  })
}

function toLivingToken({ ending, claims, tokenAt = 0 }: LoginVisit): Finding {
  const exp = claims?.exp
  const left = typeof exp === 'number' ? ` It ends in ${Math.max(0, exp - tokenAt)} s.` : ''
  return createFinding(loginExplanations, 'revoked-access-token-works', {
    seen: `The revocation was answered 200, and the MCP server still answers the access token.${left}`,
    evidence: ending?.use ? [ending.use] : [],
  })
}

function findLeftovers({ registration, clientId, removal }: LoginVisit): Finding[] {
  if (!isSuccess(registration) || isSuccess(removal)) return []
  const client = clientId ?? 'whose id could not be read'
  return [
    createFinding(loginExplanations, 'login-registration-left', {
      seen:
        removal === undefined
          ? `The client is registered (${client}), and its registration has no address to remove it at.`
          : `The client is registered (${client}); its removal was answered ${describeAnswer(removal)}.`,
      fix: `Remove the client (${client}) at the authorization server. Offer RFC 7592, so that clients can do it themselves.`,
      evidence: removal ? [removal] : [],
    }),
  ]
}
