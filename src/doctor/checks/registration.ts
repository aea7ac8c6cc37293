/** Whether clients can register (RFC 7591 §3): what keeps them from it. */
import { findGuess } from '../default-endpoints.ts'
import type { Check, Sighting } from '../finding.ts'
import type { Observation, SeenResponse } from '../observation.ts'
import { narrow } from '../places.ts'
import { isHtml, readError, readKind, tell } from '../reading.ts'
import type { ClientVisit, Visit } from '../visit.ts'

/** A client that registered, and what came of it. */
export interface Registration {
  readonly client: ClientVisit
  readonly observation: Observation
}

/** Every registration that was tried and that came to a registration endpoint, for all that can be seen. */
export function listRegistrations({ shared, clients }: Visit): readonly Registration[] {
  return clients.flatMap((client) => {
    const { registration } = client
    if (findGuess(client, shared) === 'in-vain') return []
    return registration && readKind(registration) !== 'wall'
      ? [{ client, observation: registration }]
      : []
  })
}

/** Finds the registrations that are so, and for which clients. */
export function findRegistrations(
  visit: Visit,
  isSo: (registration: Registration) => boolean,
  say: (observation: Observation) => string = tell,
): Sighting | undefined {
  const concerned = listRegistrations(visit).filter(isSo)
  const [first] = concerned
  if (first === undefined) return undefined
  return {
    seen: say(first.observation),
    evidence: concerned.slice(0, 3).map(({ observation }) => observation),
    ...narrow(
      visit,
      concerned.map(({ client }) => client),
    ),
  }
}

function findAnswers(visit: Visit, isSo: (response: SeenResponse) => boolean) {
  const say = (observation: Observation) => {
    const { response } = observation
    const error = response && !isHtml(response) ? readError(response) : ''
    return error === '' ? tell(observation) : `${tell(observation)}: ${error}`
  }
  return findRegistrations(
    visit,
    ({ observation: { response } }) => response !== undefined && isSo(response),
    say,
  )
}

type Refusal = Pick<Check, 'id' | 'title' | 'why' | 'fix' | 'gatehouse' | 'after'> & {
  readonly isIt: (response: SeenResponse) => boolean
  /** Whether the visit registers nobody after this answer, so that it concerns those who were skipped, too. */
  readonly endsRegistering?: boolean
}

const isRefused = ({ status }: SeenResponse) => status === 400 || status === 422

/** What a refusal is about, by its error code and words; the first that fits. */
function findSubject(response: SeenResponse): 'redirect' | 'scope' | 'method' | 'other' {
  const error = readError(response)
  if (/redirect/i.test(error)) return 'redirect'
  if (/scope/i.test(error)) return 'scope'
  if (/auth_?method|client_secret|public client|confidential/i.test(error)) return 'method'
  return 'other'
}

const refusals: readonly Refusal[] = [
  {
    id: 'registration-redirects',
    title: 'The registration endpoint redirects',
    why: 'Clients do not repeat a POST with its body after a redirect.',
    fix: 'Name the address that answers in "registration_endpoint"; mind http and https, and a slash at the end.',
    gatehouse: 'publicUrl, paths.register',
    after: ['endpoints-http'],
    isIt: ({ status }) => status >= 300 && status < 400,
  },
  {
    id: 'registration-not-found',
    title: 'There is nothing at the registration endpoint that the metadata names',
    why: 'Clients register where the metadata says. The path or the host is wrong, or a proxy does not pass it on.',
    fix: 'Correct "registration_endpoint", or route its path to the authorization server, POST included.',
    gatehouse: 'paths.register',
    isIt: ({ status }) => status === 404 || status === 405 || status === 410,
  },
  {
    id: 'registration-needs-token',
    title: 'Registration wants an initial access token',
    why: 'No MCP client has one.',
    fix: 'Allow open registration (Keycloak: Client registration policies, anonymous access; Auth0: enable Dynamic Client Registration), and limit it by rate.',
    isIt: ({ status }) => status === 401,
  },
  {
    id: 'registration-forbidden',
    title: 'Registration is forbidden',
    why: 'It is switched off, allowed for some names or hosts only, or a firewall stops the POST.',
    fix: 'Switch open registration on at the authorization server, drop lists of allowed client names and hosts, and look for a firewall rule on the path.',
    gatehouse: 'dynamicRegistration: true',
    isIt: ({ status }) => status === 403,
  },
  {
    id: 'registration-limited',
    title: 'Registration is rate limited',
    why: 'Claude registers anew for each connection, and hosted clients share few addresses among all their users: a limit by address stops them all.',
    fix: 'Raise the limit and count by something else than the address; answer 429 with Retry-After.',
    isIt: ({ status }) => status === 429,
    endsRegistering: true,
  },
  {
    id: 'registration-fails',
    title: 'The registration endpoint fails',
    why: 'An exception in the server, often over a member that it did not expect or a database it cannot write.',
    fix: 'Read the log of the authorization server at the time of the request; the request in the report repeats it.',
    isIt: ({ status }) => status >= 500,
  },
  {
    id: 'registration-html',
    title: 'The registration endpoint answers with a web page',
    why: 'Clients read JSON there, in success and in error.',
    fix: 'Route the path to the authorization server before the catch-all of the website, and answer errors with {"error", "error_description"}.',
    isIt: (response) => response.status < 500 && isHtml(response),
  },
  {
    id: 'registration-refuses-redirect',
    title: 'Registration refuses a redirect URI',
    why: 'One refused URI fails the whole registration. Clients use https at their vendor, http on localhost and 127.0.0.1 with any port, and private schemes such as cursor://, several at once.',
    fix: 'Accept https, http on loopback, and private-use schemes (all but javascript, data, file and their like), at least eight of them.',
    isIt: (response) => isRefused(response) && findSubject(response) === 'redirect',
  },
  {
    id: 'registration-refuses-scope',
    title: 'Registration fails over the scope',
    why: 'ChatGPT and others register without a scope, some with more than the server knows.',
    fix: 'Make "scope" optional, take the default when it is missing, and drop unknown ones in place of refusing.',
    gatehouse: 'scopes, defaultScopes',
    isIt: (response) => isRefused(response) && findSubject(response) === 'scope',
  },
  {
    id: 'registration-refuses-method',
    title: 'Registration refuses the authentication method',
    why: 'ChatGPT and Claude ask for client_secret_post, programs on the own machine for none.',
    fix: 'Support none and client_secret_post; otherwise register with the method that you have and say so in the answer (RFC 7591 §3.2.1), in place of refusing.',
    isIt: (response) => isRefused(response) && findSubject(response) === 'method',
  },
  {
    id: 'registration-refused',
    title: 'Registration is refused',
    why: 'A registration of a well-known client is refused, so it never gets an id.',
    fix: 'See the answer for the reason; ignore members that you do not know, and accept application_type native with https and web with loopback.',
    isIt: ({ status }) => status >= 400,
  },
]

function toCheck({ isIt, endsRegistering, ...refusal }: Refusal, index: number): Check {
  const earlier = refusals.slice(0, index)
  const isFirst = (response: SeenResponse) =>
    isIt(response) && !earlier.some((refused) => refused.isIt(response))
  return {
    ...refusal,
    severity: 'fault',
    breaks: ['registration-succeeds'],
    stops: 'register',
    find: (visit) => {
      const sighting = findAnswers(visit, isFirst)
      return sighting && endsRegistering ? { ...sighting, ...narrowToAll(visit) } : sighting
    },
  }
}

/** Everybody who registered or would have, had the visit gone on registering. */
function narrowToAll(visit: Visit): Pick<Sighting, 'only'> {
  return narrow(
    visit,
    visit.clients.filter(
      ({ registration, identification }) =>
        registration !== undefined || identification === 'skipped',
    ),
  )
}

const unreachable: Check = {
  id: 'registration-unreachable',
  severity: 'fault',
  title: 'The registration endpoint does not answer',
  why: 'The metadata names it, and nobody answers there: ChatGPT says “Failed to resolve OAuth client”.',
  fix: 'Correct "registration_endpoint", or make its host reachable from the internet.',
  gatehouse: 'publicUrl',
  breaks: ['registration-succeeds'],
  stops: 'register',
  after: ['wrong-public-url', 'endpoints-http'],
  find: (visit) =>
    findRegistrations(
      visit,
      ({ observation: { failure } }) => failure !== undefined && failure.kind !== 'not-sent',
    ),
}

/** Refusals of the registration endpoint. */
export const registrationChecks = [unreachable, ...refusals.map(toCheck)]
