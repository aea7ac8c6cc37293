/** What is wrong with the answer of the token endpoint (RFC 6749 §5.1). */
import type { Finding } from '../finding.ts'
import type { Observation } from '../observation.ts'
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
    return {
      id: 'token-not-json',
      severity: 'fault',
      title: 'The token answer is not JSON',
      seen: `The token endpoint answered ${token.response?.status} with content type ${type} and a body that is no JSON.`,
      why: 'Every client parses it as JSON (RFC 6749 §5.1), and fails after the user has signed in and allowed everything.',
      fix: 'Answer with a JSON object and Content-Type: application/json. GitHub and others answer with a form unless the request says Accept: application/json, so whoever relays theirs must ask for JSON.',
      evidence,
      stops: 'token',
      breaks: ['token-answer-json'],
    }
  if (isSuccess(token))
    return {
      id: 'token-missing',
      severity: 'fault',
      title: 'The token answer has no access_token',
      seen: `The token endpoint answered ${token.response?.status} with ${describeMembers(token)}.`,
      why: 'Without access_token, a text, there is nothing to use.',
      fix: 'Put access_token at the top of the JSON object, with token_type and expires_in beside it (RFC 6749 §5.1).',
      evidence,
      stops: 'token',
      breaks: ['token-answer-json'],
    }
  return {
    id: 'token-refused',
    severity: 'fault',
    title: 'The token endpoint refuses the code',
    seen: `The token endpoint answered ${describeAnswer(token)}${describeReason(token)}.`,
    why: 'The user has signed in and allowed everything, and the client still gets nothing.',
    fix: toRefusalFix(token),
    evidence,
    stops: 'token',
    breaks: ['token-for-public-client'],
  }
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
    {
      id: 'token-type-odd',
      severity: 'fault',
      title: 'The token_type of the token answer is not Bearer',
      seen: `token_type is ${JSON.stringify(type) ?? 'missing'}.`,
      why: 'A client must not use a token whose type it does not know (RFC 6749 §7.1); the SDKs refuse an answer without it.',
      fix: 'Answer "token_type": "Bearer".',
      evidence: [token],
      breaks: ['token-answer-json'],
    },
  ]
}

function findLifetime(token: Observation): Finding[] {
  const lifetime = readFields(token)['expires_in']
  if (Number.isInteger(lifetime)) return []
  if (lifetime === undefined)
    return [
      {
        id: 'expires-in-missing',
        severity: 'note',
        title: 'The token answer does not say how long the token lives',
        seen: 'expires_in is missing.',
        why: 'Clients then refresh only when a call was refused, and some show that refusal to their user.',
        fix: 'Answer with expires_in, a number of seconds.',
        evidence: [token],
        breaks: [],
      },
    ]
  return [
    {
      id: 'expires-in-not-integer',
      severity: 'fault',
      title: 'The expires_in of the token answer is not an integer',
      seen: `expires_in is ${JSON.stringify(lifetime)}.`,
      why: 'Clients in Rust, Go and Python parse it as a number and throw the whole answer away.',
      fix: 'Answer with a JSON number of whole seconds: "expires_in": 3600, without quotes.',
      gatehouse: 'lifetimes.accessTokenSeconds',
      evidence: [token],
      breaks: ['expires-in-integer'],
    },
  ]
}

function findRefreshToken(token: Observation): Finding[] {
  if (readText(token, 'refresh_token') !== undefined) return []
  return [
    {
      id: 'refresh-token-missing',
      severity: 'risk',
      title: 'The token answer has no refresh_token',
      seen: 'The client registered for refresh_token, and got an access token alone.',
      why: 'When the access token ends, the user must connect again: “Connection has expired”.',
      fix: 'Give a refresh token to every client that has the grant type refresh_token. If you give them for offline_access only, list offline_access in scopes_supported of the authorization server, so that clients ask for it.',
      evidence: [token],
      breaks: ['refresh-token-given'],
    },
  ]
}

function findCaching(token: Observation): Finding[] {
  const caching = token.response?.headers['cache-control'] ?? ''
  if (/\bno-store\b/i.test(caching)) return []
  return [
    {
      id: 'token-cacheable',
      severity: 'risk',
      title: 'The token answer may be stored by caches',
      seen: caching === '' ? 'Cache-Control is missing.' : `Cache-Control is ${caching}.`,
      why: 'A proxy or CDN in between may keep the tokens of one person and hand them to another.',
      fix: 'Answer with Cache-Control: no-store (RFC 6749 §5.1).',
      evidence: [token],
      breaks: [],
    },
  ]
}
