/** What is wrong when the fresh token is used. */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import { loginExplanations } from './explanations.ts'
import type { LoginVisit } from './login-visit.ts'
import { describeAnswer, isSuccess, readRpc } from './read-answers.ts'

/** Clocks may differ so much, in seconds, before somebody refuses a token for it. */
const skewSeconds = 60

/** Faults of the first requests with the token. */
export function findUseFaults(visit: LoginVisit): Finding[] {
  const { use } = visit
  if (use === undefined) return []
  const status = use.opening.response?.status
  if (status === 401) return [toRefusedToken(visit)]
  if (status === 403) return [toForbidden(visit)]
  if (!isSuccess(use.opening)) return [toUnusable(visit)]
  return findToolFaults(visit)
}

function toRefusedToken(visit: LoginVisit): Finding {
  const { use, plan } = visit
  const differences = listDifferences(visit)
  const challenge = use?.opening.response?.headers['www-authenticate']
  const said = challenge === undefined ? '' : ` with the challenge ${challenge}`
  return createFinding(loginExplanations, 'fresh-token-refused', {
    seen: [`The first request with the token was answered 401${said}.`, ...differences].join(' '),
    fix:
      differences.length > 0
        ? `Let the MCP server expect what the authorization server writes: issuer ${plan.issuer}, audience ${plan.resource}, and a clock that is right.`
        : 'Look for the reason in the log of the MCP server: another signing key or key set, another issuer, another audience than it expects, or the Authorization header does not reach it (proxies drop it).',
    evidence: use ? [use.opening] : [],
  })
}

/** Which claims are not what the metadata lets one expect. */
function listDifferences({ claims, plan, tokenAt = 0 }: LoginVisit): string[] {
  if (claims === undefined) return ['The token is opaque, so that it says nothing of itself.']
  const { iss, aud, exp, nbf, iat } = claims
  const audiences = Array.isArray(aud) ? aud : [aud]
  const starts = [nbf, iat].filter((one) => typeof one === 'number')
  return [
    ...(iss === plan.issuer
      ? []
      : [`Its iss is ${toText(iss)}, the issuer is ${toText(plan.issuer)}.`]),
    ...(audiences.includes(plan.resource)
      ? []
      : [`Its aud is ${toText(aud)}, the resource is ${toText(plan.resource)}.`]),
    ...(typeof exp === 'number' && exp <= tokenAt
      ? [`Its exp was ${tokenAt - exp} s ago by the clock of this machine.`]
      : []),
    ...(starts.some((start) => start > tokenAt + skewSeconds)
      ? [`It begins only ${Math.max(...starts) - tokenAt} s from now by the clock of this machine.`]
      : []),
  ]
}

function toText(value: unknown): string {
  return JSON.stringify(value) ?? 'missing'
}

function toForbidden({ use }: LoginVisit): Finding {
  const challenge = use?.opening.response?.headers['www-authenticate'] ?? ''
  const needsScope = /insufficient_scope/.test(challenge)
  return createFinding(loginExplanations, 'fresh-token-forbidden', {
    seen: `The first request with the token was answered 403${challenge === '' ? '' : ` with the challenge ${challenge}`}.`,
    fix: needsScope
      ? 'Name every scope that initialize and tools/list need in the challenge of the 401, or in scopes_supported of the protected-resource metadata.'
      : 'Look for the reason in the log of the MCP server; a firewall in front of it is a common one.',
    evidence: use ? [use.opening] : [],
  })
}

function toUnusable({ use }: LoginVisit): Finding {
  return createFinding(loginExplanations, 'mcp-unusable', {
    seen: use
      ? `The first request with the token was answered ${describeAnswer(use.opening)}.`
      : '',
    evidence: use ? [use.opening] : [],
  })
}

function findToolFaults({ use }: LoginVisit): Finding[] {
  if (use?.tools === undefined || use.toolCount !== undefined) return []
  const rpc = readRpc(use.tools)
  // A list longer than what we read is cut, and no fault.
  if (isSuccess(use.tools) && rpc?.['error'] === undefined && use.tools.response?.body !== '')
    return []
  return [
    createFinding(loginExplanations, 'tools-not-listed', {
      seen: `tools/list was answered ${describeAnswer(use.tools)}${rpc?.['error'] === undefined ? '' : ` and the error ${toText(rpc['error']).slice(0, 200)}`}.`,
      evidence: [use.tools],
    }),
  ]
}
