/** Whether the two documents of discovery can be had: found, JSON, no redirect, no error. */
import type { Requirement } from '../../profiles/profile.ts'
import type { Check, Sighting } from '../finding.ts'
import { findDocument, findObservations } from '../places.ts'
import { type Kind, readKind, tell } from '../reading.ts'
import type { Visit } from '../visit.ts'
import {
  addGuesses,
  metadataMissing,
  resourceMissing,
  serverElsewhere,
  serverMissing,
} from './missing-documents.ts'
import { findEnd, redirects, resource, type Subject, server } from './two-documents.ts'

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
    find: (visit) => {
      const sighting = subject.isExpected(visit) ? findEnd(subject, visit, kind) : undefined
      return sighting && kind === 'protected' ? addGuesses(visit, sighting) : sighting
    },
  }
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
  metadataMissing,
  ...toEndings(resource).map((ending) => toCheck(resource, ending)),
  resourceMissing,
  ...toEndings(server).map((ending) => toCheck(server, ending)),
  serverMissing,
  serverElsewhere,
  wrongType,
  optionalBroken,
]
