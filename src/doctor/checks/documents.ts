/** Whether the two documents of discovery can be had: found, JSON, no redirect, no error. */
import type { Requirement } from '../../profiles/profile.ts'
import { findGuess, wantsToken } from '../default-endpoints.ts'
import type { Check, Sighting } from '../finding.ts'
import {
  findDocument,
  findObservations,
  findStopped,
  isNowhere,
  narrow,
  type Sought,
} from '../places.ts'
import { type Kind, readKind, tell } from '../reading.ts'
import type { ClientVisit, Visit } from '../visit.ts'

/** Redirects of the whole host, which the documents follow as well. */
const redirects = [
  'redirect-to-https',
  'sign-in-redirect',
  'redirect-to-other-host',
  'redirect-on-mcp-path',
]

/** Why there are no documents: the address is another one, or the server does not want tokens at all. */
const wrongAddress = [
  ...redirects,
  'open-to-everybody',
  'mcp-path-not-found',
  'post-not-allowed',
  'not-an-mcp-endpoint',
  'mcp-endpoint-fails',
  'wrong-public-url',
]

interface Subject {
  readonly sought: Sought
  /** Begins the ids. */
  readonly id: string
  readonly name: string
  readonly place: string
  readonly lacking: Requirement
  readonly gatehouse: string
  /** Whether it has to be there: not at a place that nobody has named. */
  readonly isExpected: (visit: Visit) => boolean
}

const resource: Subject = {
  sought: 'resourceMetadata',
  id: 'resource-metadata',
  name: 'protected-resource metadata',
  place: '/.well-known/oauth-protected-resource followed by the path of the MCP URL',
  lacking: 'resource-metadata',
  gatehouse: 'publicUrl: Gatehouse serves it by itself; route /.well-known/* to it',
  isExpected: () => true,
}

const server: Subject = {
  sought: 'serverMetadata',
  id: 'server-metadata',
  name: 'authorization-server metadata',
  place: '/.well-known/oauth-authorization-server at the issuer',
  lacking: 'server-metadata',
  gatehouse: 'publicUrl: Gatehouse serves it by itself; route /.well-known/* to it',
  isExpected: ({ shared }) => shared.isIssuerNamed,
}

/** Finds the clients whose search for the document ends with such an answer. */
function findEnd({ sought }: Subject, visit: Visit, kind: Kind): Sighting | undefined {
  const stopped = findStopped(visit, sought, kind)
  return stopped && { seen: stopped.evidence.map(tell).join('; '), ...stopped }
}

type Ending = Pick<Check, 'id' | 'title' | 'why' | 'fix' | 'after' | 'stops'> & {
  readonly kind: Kind
  readonly breaks?: readonly Requirement[]
}

function toEndings({ sought, id, name, place, lacking }: Subject): readonly Ending[] {
  const breaks: readonly Requirement[] = [lacking, 'metadata-is-json']
  return [
    {
      kind: 'html',
      id: `${id}-html`,
      title: `A web page answers where the ${name} should be`,
      why: 'A single-page app or a framework answers every path with its page and 200. Clients take it for the document and fail; a 404 would let them look further.',
      fix: `Route ${place} to the server before the catch-all of the website, and answer unknown paths below /.well-known/ with 404.`,
      breaks,
      after: ['open-to-everybody', 'not-an-mcp-endpoint', 'mcp-path-not-found', 'post-not-allowed'],
    },
    {
      kind: 'not-json',
      id: `${id}-not-json`,
      title: `The ${name} is not a JSON object`,
      why: 'Clients parse it and give up; they do not look in another place after a 200.',
      fix: `Send one JSON object with Content-Type: application/json at ${place}.`,
      breaks,
    },
    {
      kind: 'redirect',
      id: `${id}-redirects`,
      title: `The ${name} is behind a redirect`,
      why: 'The specification asks for 200 at this very address (RFC 9728 §3.2, RFC 8414 §3.2). Some clients follow no redirect, or none to another origin.',
      fix: `Answer with the document itself at ${place}; take these paths out of redirects to www, to a language or to a slash.`,
      after: redirects,
    },
    {
      kind: 'server-error',
      id: `${id}-fails`,
      title: `The request for the ${name} fails`,
      why: 'An answer of 500 or more ends the search of most clients, where a 404 would lead them on.',
      fix: `Read the log of the server at the time of the request, and answer paths that you do not serve with 404.`,
      after: ['mcp-endpoint-fails'],
    },
    {
      kind: 'unanswered',
      id: `${id}-unreachable`,
      title: `The host of the ${name} does not answer`,
      why: 'The address was named by the server itself, and nobody answers there.',
      fix: 'Correct the address that is named, or make its host reachable from the internet.',
      after: ['wrong-public-url'],
      ...(sought === 'serverMetadata' ? { stops: 'discover' } : {}),
    },
    {
      kind: 'protected',
      id: `${id}-protected`,
      title: `The ${name} wants a token`,
      why: 'It says how to get a token, so it has to be there for whoever has none.',
      fix: 'Take /.well-known/* out of the middleware that checks tokens, and out of firewall rules.',
      after: ['forbidden-in-place-of-401'],
    },
  ]
}

function toCheck(subject: Subject, { kind, ...ending }: Ending): Check {
  return {
    breaks: [subject.lacking],
    ...ending,
    severity: 'fault',
    gatehouse: subject.gatehouse,
    find: (visit) => (subject.isExpected(visit) ? findEnd(subject, visit, kind) : undefined),
  }
}

/** The clients that a missing document of the authorization server leaves with nothing, or with a wrong guess. */
function findLost({ shared, clients }: Visit): readonly ClientVisit[] {
  return clients.filter((client) => {
    const guess = findGuess(client, shared)
    return (
      isNowhere(shared, 'serverMetadata', client.profile) &&
      guess !== 'right' &&
      guess !== 'untried'
    )
  })
}

/** The same sighting with what clients came to that guess the endpoints. */
function addGuesses(visit: Visit, { seen, evidence, ...sighting }: Sighting): Sighting {
  const guess = visit.clients.find(
    (client) => client.registration && findGuess(client, visit.shared) !== undefined,
  )?.registration
  return {
    ...sighting,
    seen: guess === undefined ? seen : `${seen}; ${tell(guess)}, where clients guess`,
    evidence: guess === undefined ? evidence : [...evidence, guess],
    stops: 'discover',
    ...narrow(visit, findLost(visit)),
  }
}

const missing: Check = {
  id: 'metadata-missing',
  severity: 'fault',
  title: 'There is no metadata that says where to sign in',
  why: 'Clients learn from it which authorization server to go to, and where its endpoints are (RFC 9728, RFC 8414). Some still guess as MCP 2025-03-26 had it: /authorize, /token and /register at the origin. The others say that the server does not implement OAuth.',
  fix: `Put an authorization server in front that serves both documents (gatehouse serve --to URL does). Where yours is elsewhere, serve ${resource.name} at ${resource.place}, and name its issuer there.`,
  gatehouse: resource.gatehouse,
  breaks: ['resource-metadata', 'server-metadata'],
  after: wrongAddress,
  find: (visit) => {
    const observations = (['resourceMetadata', 'serverMetadata'] as const).flatMap((sought) =>
      findObservations(visit, sought),
    )
    if (!wantsToken(visit.shared)) return undefined
    if (!observations.every((each) => readKind(each) === 'absent')) return undefined
    const seen = observations.map(tell).join('; ')
    return addGuesses(visit, { seen, evidence: observations })
  },
}

const resourceMissing: Check = {
  id: 'resource-metadata-missing',
  severity: 'fault',
  title: 'There is no protected-resource metadata',
  why: 'It tells clients which authorization server to go to (RFC 9728). Without it they guess, or say that the server does not implement OAuth.',
  fix: `Serve it at ${resource.place}, and name that address in the challenge.`,
  gatehouse: resource.gatehouse,
  breaks: ['resource-metadata'],
  after: [...wrongAddress, 'metadata-missing'],
  find: (visit) => findEnd(resource, visit, 'absent'),
}

const serverMissing: Check = {
  id: 'server-metadata-missing',
  severity: 'fault',
  title: 'The authorization server that is named has no metadata',
  why: 'Clients learn the endpoints from it (RFC 8414). Mostly the issuer is written with a path that its documents are not at, or the identity provider has an OpenID document only.',
  fix: `Serve it at ${server.place}, with the path of the issuer after it if there is one; or name the issuer that has the document.`,
  gatehouse: server.gatehouse,
  breaks: ['server-metadata'],
  after: wrongAddress,
  find: (visit) => {
    const sighting = server.isExpected(visit) ? findEnd(server, visit, 'absent') : undefined
    return sighting && addGuesses(visit, sighting)
  },
}

/** Documents that are found and sent as something else than JSON. */
function findWrongType(visit: Visit): Sighting | undefined {
  const documents = (['resourceMetadata', 'serverMetadata'] as const).flatMap((sought) =>
    findObservations(visit, sought).filter((each) => readKind(each) === 'document'),
  )
  const evidence = documents.filter(
    ({ response }) =>
      !/^application\/(?:[\w.-]+\+)?json\b/i.test(response?.headers['content-type'] ?? ''),
  )
  return evidence.length === 0 ? undefined : { seen: evidence.map(tell).join('; '), evidence }
}

const wrongType: Check = {
  id: 'metadata-content-type',
  severity: 'risk',
  title: 'Metadata is JSON and is not sent as JSON',
  why: 'The specification asks for application/json; clients that look at the type refuse it.',
  fix: 'Send Content-Type: application/json with the documents below /.well-known/. Files without an extension need it set by hand (nginx: default_type application/json).',
  breaks: [],
  find: findWrongType,
}

/** An answer nobody needs, in a form that some trip over: pages and errors at the places that come later. */
const optionalBroken: Check = {
  id: 'optional-document-broken',
  severity: 'risk',
  title: 'A place where clients may look answers with a page or an error in place of 404',
  why: 'Most clients find what they need before they come to it. Those that ask everywhere at once read a page or an error as a broken server.',
  fix: 'Answer paths below /.well-known/ that you do not serve with 404; openid-configuration as well, unless it is a complete OpenID document.',
  gatehouse: 'Gatehouse answers 404; route all of /.well-known/* to it',
  breaks: [],
  after: [
    'not-an-mcp-endpoint',
    'mcp-endpoint-fails',
    ...['html', 'fails'].flatMap((end) => [`resource-metadata-${end}`, `server-metadata-${end}`]),
  ],
  find: (visit) => {
    const evidence = (['resourceMetadata', 'serverMetadata'] as const).flatMap((sought) =>
      findDocument(visit, sought) === undefined
        ? []
        : findObservations(visit, sought).filter((each) => {
            const kind = readKind(each)
            return ['server-error', 'html'].includes(kind)
          }),
    )
    return evidence.length === 0 ? undefined : { seen: evidence.map(tell).join('; '), evidence }
  },
}

/** Finding the two documents. */
export const documentChecks = [
  missing,
  ...toEndings(resource).map((ending) => toCheck(resource, ending)),
  resourceMissing,
  ...toEndings(server).map((ending) => toCheck(server, ending)),
  serverMissing,
  wrongType,
  optionalBroken,
]
