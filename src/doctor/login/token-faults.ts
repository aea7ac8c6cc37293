/** What is wrong with the answer of the token endpoint (RFC 6749 §5.1). */
import { createFinding } from '../explained.ts'
import type { Finding } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { loginExplanations } from './explanations.ts'
import type { LoginVisit } from './login-visit.ts'
import { describeAnswer, hasToken, isSuccess, readFields, readText } from './read-answers.ts'

/** Faults of the token answer; when there is no token in it, that one alone. */
export function findTokenFaults({ token }: LoginVisit): Finding[] {
  if (token === undefined) return []
  if (!hasToken(token)) return [toMissingToken(token)]
  return [
    ...findType(token),
    ...findLifetime(token),
    ...findRefreshToken(token),
    ...findCaching(token),
  ]
}

function toMissingToken(token: Observation): Finding {
  const evidence = [token]
  const type = token.response?.headers['content-type'] ?? 'none'
  if (isSuccess(token) && token.response?.json === undefined)
    return createFinding(loginExplanations, 'token-not-json', {
      seen: `The token endpoint answered ${token.response?.status} with content type ${type} and a body that is no JSON.`,
      evidence,
    })
  if (isSuccess(token))
    return createFinding(loginExplanations, 'token-missing', {
      seen: `The token endpoint answered ${token.response?.status} with ${describeMembers(token)}.`,
      evidence,
    })
  return createFinding(loginExplanations, 'token-refused', {
    seen: `The token endpoint answered ${describeAnswer(token)}${describeReason(token)}.`,
    fix: toRefusalFix(token),
    evidence,
  })
}

function describeMembers(token: Observation): string {
  const names = Object.keys(readFields(token)).slice(0, 12)
  return names.length === 0 ? 'no members' : `the members ${names.join(', ')}`
}

function describeReason(token: Observation): string {
  const text = readText(token, 'error_description')
  return text === undefined ? '' : `: ${text.slice(0, 200)}`
}

/** What each error of RFC 6749 §5.2 usually comes from here. */
function toRefusalFix(token: Observation): string {
  const fixes: Readonly<Record<string, string>> = {
    invalid_client:
      'Let a client authenticate in the way it registered with: with token_endpoint_auth_method none the client_id in the form is all there is.',
    invalid_grant:
      'Compare code, redirect_uri (byte by byte, the port as well) and code_verifier with what the authorization request had.',
    invalid_target: 'Accept the resource that your own protected-resource metadata names.',
    unsupported_grant_type: 'Parse the body as application/x-www-form-urlencoded, not as JSON.',
    invalid_request:
      'Parse the body as application/x-www-form-urlencoded, and ignore parameters you do not know.',
  }
  const known = fixes[readText(token, 'error') ?? '']
  if (known !== undefined) return known
  const { status } = token.response ?? {}
  if (status === 415) return 'Accept application/x-www-form-urlencoded at the token endpoint.'
  if (status !== undefined && status >= 300 && status < 400)
    return 'Answer at the token endpoint itself: clients do not follow a redirect with a code in the body.'
  return 'Look for the reason in the log of the authorization server.'
}

function findType(token: Observation): Finding[] {
  const type = readFields(token)['token_type']
  if (typeof type === 'string' && type.toLowerCase() === 'bearer') return []
  return [
    createFinding(loginExplanations, 'token-type-odd', {
      seen: `token_type is ${JSON.stringify(type) ?? 'missing'}.`,
      evidence: [token],
    }),
  ]
}

function findLifetime(token: Observation): Finding[] {
  const lifetime = readFields(token)['expires_in']
  if (Number.isInteger(lifetime)) return []
  if (lifetime === undefined)
    return [
      createFinding(loginExplanations, 'expires-in-missing', {
        seen: 'expires_in is missing.',
        evidence: [token],
      }),
    ]
  return [
    createFinding(loginExplanations, 'expires-in-not-integer', {
      seen: `expires_in is ${JSON.stringify(lifetime)}.`,
      evidence: [token],
    }),
  ]
}

function findRefreshToken(token: Observation): Finding[] {
  if (readText(token, 'refresh_token') !== undefined) return []
  return [
    createFinding(loginExplanations, 'refresh-token-missing', {
      seen: 'The client registered for refresh_token, and got an access token alone.',
      evidence: [token],
    }),
  ]
}

function findCaching(token: Observation): Finding[] {
  const caching = token.response?.headers['cache-control'] ?? ''
  if (/\bno-store\b/i.test(caching)) return []
  return [
    createFinding(loginExplanations, 'token-cacheable', {
      seen: caching === '' ? 'Cache-Control is missing.' : `Cache-Control is ${caching}.`,
      evidence: [token],
    }),
  ]
}
