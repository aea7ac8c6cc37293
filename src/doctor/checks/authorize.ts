/** What the authorization endpoint says to a well-formed request: a page, or why there is none. */
import type { Requirement } from '../../profiles/profile.ts'
import type { Check, Sighting } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { findDocument, narrow } from '../places.ts'
import { isHtml, parseUrl, readError, readKind, readLocation, tell } from '../reading.ts'
import type { ClientVisit, Visit } from '../visit.ts'
import { saysUnknownClient } from './registered.ts'
import { namesIssuer } from './server-metadata.ts'

/** An authorization request and what came of it. */
interface Asked {
  readonly client: ClientVisit
  readonly observation: Observation
  /** Where a redirect leads. */
  readonly to: URL | undefined
  /** Whether that is back to the client. */
  readonly isBack: boolean
  /** The words of a refusal, by page, JSON or redirect. */
  readonly refusal: string | undefined
}

function listAsked({ clients }: Visit): readonly Asked[] {
  return clients.flatMap((client) => {
    const observation = client.authorize
    if (observation === undefined || readKind(observation) === 'wall') return []
    const to = readLocation(observation)
    const wanted = parseUrl(readParameter(observation.request.url, 'redirect_uri'))
    const isBack = to !== undefined && to.protocol === wanted?.protocol && to.host === wanted.host
    return [{ client, observation, to, isBack, refusal: readRefusal(observation, to) }]
  })
}

function readParameter(url: string, name: string): string | null {
  return parseUrl(url)?.searchParams.get(name) ?? null
}

function readRefusal({ response }: Observation, to: URL | undefined): string | undefined {
  const error = to?.searchParams.get('error')
  if (error) return `${error}: ${to?.searchParams.get('error_description') ?? ''}`
  const isRefused = response !== undefined && response.status >= 400 && response.status < 500
  return isRefused ? readError(response) : undefined
}

function findAsked(
  visit: Visit,
  isSo: (asked: Asked) => boolean,
  say: (asked: Asked) => string = ({ observation, refusal }) =>
    refusal === undefined || readLocation(observation)
      ? tell(observation)
      : `${tell(observation)}: ${refusal}`,
): Sighting | undefined {
  const concerned = listAsked(visit).filter(isSo)
  const [first] = concerned
  if (first === undefined) return undefined
  return {
    seen: say(first),
    evidence: concerned.slice(0, 3).map(({ observation }) => observation),
    ...narrow(
      visit,
      concerned.map(({ client }) => client),
    ),
  }
}

const unreachable: Check = {
  id: 'authorize-unreachable',
  severity: 'fault',
  title: 'The authorization endpoint does not answer',
  why: 'The browser of the person is sent there and shows that the site cannot be reached.',
  fix: 'Correct "authorization_endpoint", or make its host reachable.',
  gatehouse: 'publicUrl',
  breaks: ['authorization-page'],
  stops: 'authorize',
  after: ['wrong-public-url', 'endpoints-http'],
  find: (visit) =>
    findAsked(
      visit,
      ({ observation: { failure } }) => failure !== undefined && failure.kind !== 'not-sent',
    ),
}

const fails: Check = {
  id: 'authorize-fails',
  severity: 'fault',
  title: 'The authorization endpoint fails',
  why: 'The person sees an error page of the server in place of the sign-in.',
  fix: 'Read the log of the authorization server at the time of the request; the request in the report repeats it.',
  breaks: ['authorization-page'],
  stops: 'authorize',
  find: (visit) => findAsked(visit, ({ observation }) => readKind(observation) === 'server-error'),
}

/** What a refusal is about: the first row that fits its words. */
const subjects: readonly (Pick<Check, 'id' | 'title' | 'why' | 'fix' | 'gatehouse' | 'after'> & {
  readonly breaks?: readonly Requirement[]
  readonly isIt: (asked: Asked) => boolean
})[] = [
  {
    id: 'authorize-not-found',
    title: 'There is nothing at the authorization endpoint',
    why: 'The person sees “not found” in place of the sign-in.',
    fix: 'Correct "authorization_endpoint", or route its path to the authorization server.',
    gatehouse: 'paths.authorize',
    isIt: ({ client, observation }) =>
      [404, 405, 410].includes(observation.response?.status ?? 0) &&
      !saysUnknownClient(client.authorize),
  },
  {
    id: 'documents-unread',
    title: 'The server cannot read the metadata documents of clients',
    why: 'It says that it takes their URLs as client ids, so clients that have a document use it and do not register; then it has to reach those addresses.',
    fix: 'Let the authorization server reach the internet by https; where it must not, take "client_id_metadata_document_supported" out of the metadata, so that clients register.',
    gatehouse: 'clientMetadataDocuments',
    isIt: ({ client, refusal = '' }) =>
      client.identification === 'document' &&
      /could not (?:be verified|read|fetch|retrieve)|(?:cannot|unable to|failed to) (?:read|fetch|retrieve|resolve)/i.test(
        refusal,
      ),
  },
  {
    id: 'documents-refused',
    title: 'The URL of a metadata document is refused as a client id',
    why: 'The metadata says that such ids are supported, so clients that have a document use it and do not register.',
    fix: 'Look the document up when a client id is an https URL, or take "client_id_metadata_document_supported" out of the metadata.',
    isIt: (asked) =>
      asked.client.identification === 'document' &&
      (saysUnknownClient(asked.client.authorize) ||
        /client_?id|metadata|invalid_client|unauthorized_client/i.test(asked.refusal ?? '')),
  },
  {
    id: 'authorize-refuses-scope',
    title: 'The authorization endpoint refuses scopes that the server itself offers',
    why: 'Clients ask for the scopes that the challenge or the metadata lists, and for offline_access where it is listed.',
    fix: 'Grant what is advertised; drop scopes that you do not know in place of refusing with invalid_scope, and take the default when there is none.',
    gatehouse: 'scopes, defaultScopes',
    isIt: ({ refusal = '' }) => /scope/i.test(refusal),
  },
  {
    id: 'authorize-refuses-resource',
    title: 'The authorization endpoint refuses the resource parameter',
    why: 'MCP clients send resource with the URL of the MCP server (RFC 8707); identity providers such as Entra ID refuse it (AADSTS9010010).',
    fix: 'Accept the resource of the protected-resource metadata, with and without a slash at the end, and do not pass it on to an identity provider.',
    gatehouse: 'backends[].path, publicUrl',
    breaks: ['resource-accepted'],
    after: ['wrong-public-url', 'resource-other-host', 'resource-http', 'resource-other-path'],
    isIt: ({ refusal = '' }) => /invalid_target|\bresource\b|AADSTS9010010/i.test(refusal),
  },
  {
    id: 'authorize-refuses-redirect',
    title: 'The authorization endpoint refuses a redirect URI that the client may use',
    why: 'A program on the own machine listens on another port each time, so the port of a loopback address is not compared (RFC 8252 §7.3); others are compared character by character with the registered ones.',
    fix: 'Ignore the port when the host is 127.0.0.1, [::1] or localhost, and compare everything else exactly with what was registered.',
    isIt: ({ refusal = '' }) => /redirect|callback|address it never registered/i.test(refusal),
  },
  {
    id: 'authorize-refuses-pkce',
    title: 'The authorization endpoint refuses PKCE',
    why: 'Every MCP client sends code_challenge with S256.',
    fix: 'Accept code_challenge and code_challenge_method=S256, and verify code_verifier at the token endpoint (RFC 7636).',
    isIt: ({ refusal = '' }) => /code_challenge|pkce/i.test(refusal),
  },
  {
    id: 'authorize-refused',
    title: 'The authorization endpoint refuses the request',
    why: 'It is the request that this client makes, with a client id that the server gave it.',
    fix: 'See the answer for the reason and the log of the authorization server for more.',
    after: ['mcp-path-not-found', 'resource-other-path'],
    isIt: ({ refusal, client }) =>
      refusal !== undefined && !(client.registration && saysUnknownClient(client.authorize)),
  },
]

function toCheck(
  { isIt, after = [], ...subject }: (typeof subjects)[number],
  index: number,
): Check {
  const earlier = subjects.slice(0, index)
  return {
    breaks: ['authorization-page'],
    ...subject,
    severity: 'fault',
    stops: 'authorize',
    after: ['registration-without-client-id', ...after],
    find: (visit) =>
      findAsked(
        visit,
        (asked) =>
          asked.refusal !== undefined && isIt(asked) && !earlier.some((each) => each.isIt(asked)),
      ),
  }
}

const notAPage: Check = {
  id: 'authorize-not-a-page',
  severity: 'fault',
  title: 'The authorization endpoint answers with data in place of a page',
  why: 'A person’s browser is at this address: it needs a page to sign in on, or a redirect to one.',
  fix: 'Answer with an HTML page or a redirect to the sign-in; check that no API gateway rewrites it.',
  breaks: ['authorization-page'],
  stops: 'authorize',
  find: (visit) =>
    findAsked(visit, ({ observation: { response } }) => {
      const isAnswer = response !== undefined && response.status < 300
      return isAnswer && !isHtml(response) && response.body.trim() !== ''
    }),
}

const withoutPerson: Check = {
  id: 'code-without-a-person',
  severity: 'risk',
  title: 'The authorization endpoint hands out a code to anybody, without a page',
  why: 'Whoever sends somebody a link gets a code for them, or everybody is let in without a sign-in.',
  fix: 'Have the person sign in and allow the client before the redirect.',
  gatehouse: 'noSignIn: false',
  breaks: [],
  find: (visit) =>
    findAsked(visit, ({ to, isBack }) => isBack && to?.searchParams.has('code') === true),
}

const withoutIss: Check = {
  id: 'iss-missing',
  severity: 'fault',
  title: 'Authorization responses do not name the issuer that the metadata names',
  why: 'Where the metadata promises iss, clients refuse every response without the exact issuer (RFC 9207), errors included; Gemini CLI always does.',
  fix: 'Add iss=ISSUER to every redirect to the client, in success and in error, exactly as the metadata writes the issuer.',
  gatehouse: 'Gatehouse always sends it: something in front answers in its place',
  breaks: ['iss-if-advertised', 'iss-always'],
  find: (visit) => {
    const members = findDocument(visit, 'serverMetadata')?.members
    const sighting = findAsked(visit, ({ to, isBack }) => {
      const isResponse = to?.searchParams.has('error') || to?.searchParams.has('code')
      return isBack && isResponse === true && to?.searchParams.get('iss') !== members?.['issuer']
    })
    return sighting && !namesIssuer(members) ? { ...sighting, breaks: ['iss-always'] } : sighting
  },
}

const issUnpromised: Check = {
  id: 'iss-unadvertised',
  severity: 'risk',
  title: 'The metadata does not promise that authorization responses name the issuer',
  why: 'ChatGPT then uses a redirect URI of its own for each connection in place of the one that is the same for everybody, Codex is stricter about the origin of endpoints, and Gemini CLI refuses responses without iss.',
  fix: 'Send iss with every authorization response (RFC 9207) and add "authorization_response_iss_parameter_supported": true.',
  breaks: [],
  after: ['iss-missing'],
  find: (visit) => {
    const found = findDocument(visit, 'serverMetadata')
    if (found === undefined || namesIssuer(found.members)) return undefined
    const name = 'authorization_response_iss_parameter_supported'
    return {
      seen: `${found.observation.request.url} says "${name}": ${JSON.stringify(found.members[name]) ?? 'nothing'}`,
      evidence: [found.observation],
    }
  },
}

/** The authorization endpoint. */
export const authorizeChecks = [
  unreachable,
  fails,
  ...subjects.map(toCheck),
  notAPage,
  withoutPerson,
  withoutIss,
  issUnpromised,
]
