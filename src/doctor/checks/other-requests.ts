/** Whether GET, HEAD and the first message of MCP 2026-07-28 meet the same challenge as `initialize` by POST. */
import type { Check, Sighting } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { readKind, tell } from '../reading.ts'
import type { Visit } from '../visit.ts'

/** One answer as all there is to say. */
export function sight(observation: Observation): Sighting {
  return { seen: tell(observation), evidence: [observation] }
}

const isChallenged = ({ shared }: Visit) => shared.post.response?.status === 401

const getLetsIn: Check = {
  id: 'get-lets-everybody-in',
  severity: 'fault',
  title: 'GET answers as if a token were there, though POST does not',
  why: 'Some clients ask by GET first: 200 tells them that no sign-in is needed, or to read the answer as metadata.',
  fix: 'Answer GET without a token with the same 401 and the same WWW-Authenticate as POST.',
  breaks: ['unauthorized-401-on-get'],
  find: (visit) => {
    const { get } = visit.shared
    const status = get.response?.status ?? 0
    const isLetIn = status >= 200 && status < 400 && readKind(get) !== 'wall'
    return isChallenged(visit) && isLetIn ? sight(get) : undefined
  },
}

const getNotChallenged: Check = {
  id: 'get-without-challenge',
  severity: 'risk',
  title: 'GET without a token is not answered 401',
  why: 'Clients that ask by GET first get no challenge and have to guess where the metadata is.',
  fix: 'Answer GET, HEAD and DELETE without a token with the same 401 and WWW-Authenticate as POST, before 405 and 406.',
  breaks: [],
  after: ['get-lets-everybody-in'],
  find: (visit) => {
    const { get } = visit.shared
    const isOther = get.response?.status !== 401 && get.failure?.kind !== 'not-sent'
    return isChallenged(visit) && isOther && readKind(get) !== 'wall' ? sight(get) : undefined
  },
}

const headNotChallenged: Check = {
  id: 'head-without-challenge',
  severity: 'risk',
  title: 'HEAD without a token is not answered 401',
  why: 'Gemini CLI asks by HEAD first and reads the challenge there; without it, it has to guess where the metadata is.',
  fix: 'Answer HEAD like GET: the same 401 and WWW-Authenticate, without a body.',
  breaks: ['unauthorized-401-on-head'],
  after: ['get-lets-everybody-in', 'get-without-challenge'],
  find: (visit) => {
    const { head } = visit.shared
    const isOther = head.response?.status !== 401 && head.failure?.kind !== 'not-sent'
    return isChallenged(visit) && isOther && readKind(head) !== 'wall' ? sight(head) : undefined
  },
}

const discoverNotChallenged: Check = {
  id: 'discover-without-challenge',
  severity: 'risk',
  title: 'The first message of MCP 2026-07-28 is not answered 401',
  why: 'Clients of that revision begin with server/discover in place of initialize. Where the message is judged before the token, they take the server for an older one, or for a broken one, and begin anew before anybody may sign in.',
  fix: 'Check the token before the message: answer every POST without one 401 with WWW-Authenticate, whatever its method and its revision.',
  breaks: [],
  find: (visit) => {
    const { discover } = visit.shared
    if (discover?.response === undefined || discover.response.status === 401) return undefined
    return isChallenged(visit) && readKind(discover) !== 'wall' ? sight(discover) : undefined
  },
}

/** GET, HEAD and `server/discover`. */
export const otherRequestChecks = [
  getLetsIn,
  getNotChallenged,
  headNotChallenged,
  discoverNotChallenged,
]
