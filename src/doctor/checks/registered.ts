/** What the registration endpoint answers when it registers a client (RFC 7591 §3.2.1), and what becomes of it. */
import type { JsonObject } from '../documents.ts'
import type { Check, Sighting } from '../finding.ts'
import { parseJson } from '../masking.ts'
import type { Observation } from '../observation.ts'
import { narrow } from '../places.ts'
import { isHtml, parseMembers, parseText, parseTexts, readError, tell } from '../reading.ts'
import type { Visit } from '../visit.ts'
import { findRegistrations } from './registration.ts'

function readAnswer({ response }: Observation): JsonObject | undefined {
  if (response === undefined || response.status < 200 || response.status > 299) return undefined
  return isHtml(response) ? undefined : (parseMembers(response.json) ?? {})
}

/** Finds the clients whose registration succeeded with such an answer. */
function findAnswers(
  visit: Visit,
  isSo: (answer: JsonObject, asked: JsonObject) => boolean,
  say: (answer: JsonObject) => string,
): Sighting | undefined {
  return findRegistrations(
    visit,
    ({ observation }) => {
      const answer = readAnswer(observation)
      const asked = parseMembers(parseJson(observation.request.body ?? '')) ?? {}
      return answer !== undefined && isSo(answer, asked)
    },
    (observation) => `${tell(observation)}, with ${say(readAnswer(observation) ?? {})}`,
  )
}

const show =
  (...names: readonly string[]) =>
  (answer: JsonObject) =>
    names.map((name) => `"${name}": ${JSON.stringify(answer[name]) ?? 'nothing'}`).join(', ')

const withoutId: Check = {
  id: 'registration-without-client-id',
  severity: 'fault',
  title: 'The registration answers without a client id',
  why: 'A static mode whose client id was never configured answers with an empty one; the client goes on and every later step fails.',
  fix: 'Return the "client_id" of the client; if you hand out one configured client, set its id (the environment of the server lacks it).',
  gatehouse: 'registration.static.clientId; Gatehouse does not start with an empty one',
  breaks: ['registration-succeeds'],
  stops: 'register',
  find: (visit) =>
    findAnswers(visit, (answer) => !parseText(answer['client_id']), show('client_id')),
}

const withoutRedirects: Check = {
  id: 'registration-without-redirects',
  severity: 'fault',
  title: 'The registration answers without the redirect URIs',
  why: 'The TypeScript and Rust SDKs require the array in the answer and discard the registration without it.',
  fix: 'Return every member that was registered (RFC 7591 §3.2.1), "redirect_uris" above all, exactly as they were sent.',
  breaks: ['registration-echoes-redirects'],
  find: (visit) =>
    findAnswers(
      visit,
      (answer) => !parseTexts(answer['redirect_uris'])?.length,
      show('redirect_uris'),
    ),
}

const otherRedirects: Check = {
  id: 'registration-other-redirects',
  severity: 'fault',
  title: 'The registration answers with other redirect URIs than were sent',
  why: 'Open WebUI and others use what they read there. An upstream’s own URIs do not lead back to the client.',
  fix: 'Return the URIs that the client sent, character by character.',
  breaks: ['registration-echoes-redirects'],
  find: (visit) =>
    findAnswers(
      visit,
      (answer, asked) => {
        const said = parseTexts(answer['redirect_uris']) ?? []
        const sent = parseTexts(asked['redirect_uris']) ?? []
        return said.length > 0 && !sent.some((uri) => said.includes(uri))
      },
      show('redirect_uris'),
    ),
}

const withNull: Check = {
  id: 'registration-null-members',
  severity: 'fault',
  title: 'The registration answers with members that are null',
  why: 'The TypeScript SDK refuses the answer: “expected string, received null”.',
  fix: 'Leave members without a value out (pydantic: exclude_none=True).',
  breaks: ['registration-without-null'],
  find: (visit) =>
    findAnswers(
      visit,
      (answer) => Object.values(answer).includes(null),
      (answer) => show(...Object.keys(answer).filter((name) => answer[name] === null))(answer),
    ),
}

const needsSecret = (answer: JsonObject) =>
  parseText(answer['token_endpoint_auth_method'])?.startsWith('client_secret_') === true

const withoutSecret: Check = {
  id: 'registration-secret-missing',
  severity: 'fault',
  title: 'The registration answers with a secret method and without a secret',
  why: 'The client is told to authenticate with something that it was not given; the Python SDK stops here, others at the token endpoint.',
  fix: 'Return "client_secret" and "client_secret_expires_at": 0, or "token_endpoint_auth_method": "none".',
  breaks: ['registration-succeeds', 'registration-keeps-method'],
  find: (visit) =>
    findAnswers(
      visit,
      (answer) => needsSecret(answer) && !parseText(answer['client_secret']),
      show('token_endpoint_auth_method', 'client_secret'),
    ),
}

const otherMethod: Check = {
  id: 'registration-other-method',
  severity: 'fault',
  title: 'The registration changes the authentication method to client_secret_basic',
  why: 'The Python SDK 1.x knows none and client_secret_post only, and refuses the answer.',
  fix: 'Register the method that the client asked for; support none and client_secret_post.',
  breaks: ['registration-keeps-method'],
  find: (visit) =>
    findAnswers(
      visit,
      (answer, asked) =>
        answer['token_endpoint_auth_method'] === 'client_secret_basic' &&
        (asked['token_endpoint_auth_method'] ?? 'client_secret_basic') !== 'client_secret_basic',
      show('token_endpoint_auth_method'),
    ),
}

const secretExpiry: Check = {
  id: 'registration-secret-expiry',
  severity: 'risk',
  title: 'The registration does not say as a whole number when the secret ends',
  why: 'client_secret_expires_at is required beside a secret (RFC 7591 §3.2.1); clients with a strict schema refuse a fraction, a text or nothing.',
  fix: 'Return "client_secret_expires_at": 0 for a secret that does not end.',
  breaks: [],
  find: (visit) =>
    findAnswers(
      visit,
      (answer) =>
        parseText(answer['client_secret']) !== undefined &&
        !Number.isInteger(answer['client_secret_expires_at']),
      show('client_secret_expires_at'),
    ),
}

const expiringClient: Check = {
  id: 'registration-expires',
  severity: 'risk',
  title: 'The registered client ends some day',
  why: 'ChatGPT registers once and uses the client for all of its users; from that day on each of them gets invalid_client.',
  fix: 'Return "client_secret_expires_at": 0 and keep clients that were ever used.',
  breaks: [],
  find: (visit) =>
    findAnswers(
      visit,
      (answer) => Number(answer['client_secret_expires_at'] ?? 0) > 0,
      show('client_secret_expires_at'),
    ),
}

/** What authorize says of a client that it does not know. */
const unknownClient =
  /not registered|unregistered|unknown client|client not found|no such client|client .*(does not exist|not found|unknown)|invalid_client|invalid client|unauthorized_client/i

/** Whether an answer of the authorization endpoint says that it does not know the client. */
export function saysUnknownClient(observation: Observation | undefined): boolean {
  const response = observation?.response
  if (response === undefined || response.status < 400) return false
  return unknownClient.test(`${readError(response)} ${response.body.slice(0, 4000)}`)
}

const lost: Check = {
  id: 'registration-lost',
  severity: 'fault',
  title: 'The client that just registered is unknown at the authorization endpoint',
  why: 'The registration is kept in the memory of one process: another instance answers the next request, or a restart forgets it (“Client Not Registered”).',
  fix: 'Keep registered clients in a store that all instances share and that outlives a restart.',
  gatehouse: 'store.url, one store for all instances',
  breaks: ['authorization-page'],
  stops: 'authorize',
  after: ['registration-without-client-id'],
  find: (visit) => {
    const concerned = visit.clients.filter(
      ({ registration, authorize }) =>
        registration !== undefined &&
        readAnswer(registration) !== undefined &&
        saysUnknownClient(authorize),
    )
    const [first] = concerned
    if (first?.registration === undefined || first.authorize === undefined) return undefined
    return {
      seen: `${tell(first.registration)}, then ${tell(first.authorize)}`,
      evidence: [first.registration, first.authorize],
      ...narrow(visit, concerned),
    }
  },
}

const cacheable: Check = {
  id: 'registration-cacheable',
  severity: 'risk',
  title: 'A cache may keep the answer to a registration',
  why: 'It holds a secret.',
  fix: 'Send Cache-Control: no-store with it.',
  breaks: [],
  find: (visit) =>
    findRegistrations(visit, ({ observation }) => {
      const isSecret = parseText(readAnswer(observation)?.['client_secret']) !== undefined
      const caching = observation.response?.headers['cache-control'] ?? ''
      return isSecret && !/no-store|private/i.test(caching)
    }),
}

/** Answers to registrations. */
export const registeredChecks = [
  withoutId,
  withoutRedirects,
  otherRedirects,
  withNull,
  withoutSecret,
  otherMethod,
  secretExpiry,
  expiringClient,
  lost,
  cacheable,
]
