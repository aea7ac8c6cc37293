/** What stands in front of the server and answers in its place. */
import type { Check, Sighting } from '../finding.ts'
import type { Observation } from '../observation.ts'
import { findObservations, narrow } from '../places.ts'
import { findWall, readKind, readLocation, tell, type Wall } from '../reading.ts'
import type { ClientVisit, Visit } from '../visit.ts'

/** A request of which a page in front would keep clients away: everybody, or the one that made it. */
interface Fronted {
  readonly observation: Observation
  readonly client?: ClientVisit
}

/** A sign-in page is opened in a browser, which gets past what asks for one; not past a tunnel without an end. */
function listFronted(visit: Visit, kind: Wall['kind']): readonly Fronted[] {
  const everybodys = [
    visit.shared.post,
    ...findObservations(visit, 'resourceMetadata'),
    ...findObservations(visit, 'serverMetadata'),
  ]
  const own = visit.clients.flatMap((client) => {
    const { registration, authorize } = client
    const asked = kind === 'tunnel-offline' ? [registration, authorize] : [registration]
    return asked.flatMap((observation) => (observation ? [{ observation, client }] : []))
  })
  return [...everybodys.map((observation) => ({ observation })), ...own]
}

function findWalled(visit: Visit, kind: Wall['kind']): Sighting | undefined {
  const walled = listFronted(visit, kind).flatMap((fronted) => {
    const wall = fronted.observation.response && findWall(fronted.observation.response)
    return wall?.kind === kind ? [{ ...fronted, wall }] : []
  })
  const [first] = walled
  if (first === undefined) return undefined
  const evidence = walled.slice(0, 3).map(({ observation }) => observation)
  const concerned = walled.flatMap(({ client }) => client ?? [])
  return {
    seen: `${tell(first.observation)}, a page of ${first.wall.by}`,
    evidence,
    ...(first.client && narrow(visit, concerned)),
  }
}

const botChallenge: Check = {
  id: 'bot-challenge',
  severity: 'fault',
  title: 'A bot challenge answers in place of the server',
  why: 'The page asks for a browser with JavaScript and a person; clients are neither.',
  fix: 'Add a rule that skips bot protection for the MCP path, /.well-known/*, and the register, token and revoke endpoints (Cloudflare: Security → WAF → Custom rules → Skip; switch Bot Fight Mode off for the host).',
  breaks: ['no-challenge-page'],
  find: (visit) => findWalled(visit, 'bot-challenge'),
}

const tunnelWarning: Check = {
  id: 'tunnel-warning',
  severity: 'fault',
  title: 'The tunnel shows its own warning page first',
  why: 'Free tunnels ask visitors to press a button once; a client cannot, and reads the page in place of the answer.',
  fix: 'Use a tunnel without such a page (cloudflared, Tailscale Funnel), or a plan of this one that leaves it out.',
  gatehouse: 'gatehouse serve --tunnel cloudflared',
  breaks: ['no-challenge-page'],
  find: (visit) => findWalled(visit, 'tunnel-warning'),
}

const tunnelOffline: Check = {
  id: 'tunnel-offline',
  severity: 'fault',
  title: 'The tunnel has nothing behind it',
  why: 'The name still leads to the tunnel service, and the program that connects it to the server is not running or cannot reach the port.',
  fix: 'Start the tunnel program again, and compare the port it forwards to with the one the server listens on. A free tunnel may have a new address by now.',
  gatehouse: 'gatehouse serve --tunnel, which runs the program with the server',
  breaks: [],
  stops: 'reach',
  find: (visit) => findWalled(visit, 'tunnel-offline'),
}

/** Addresses of sign-in pages: of Cloudflare Access and its like, of identity providers, of the site itself. */
const signIn =
  /cloudflareaccess\.com|\/cdn-cgi\/access\/|login\.microsoftonline\.com|accounts\.google\.com|tunnels\.api\.visualstudio\.com|\.okta\.com|\.auth0\.com|github\.com\/login|\/(login|log-in|signin|sign-in|sso|saml|oauth2\/(start|sign_in)|users\/sign_in)\b/i

/** Where the MCP endpoint sends a visitor to sign in; undefined when it does not. */
export function findSignInRedirect({ shared }: Visit): URL | undefined {
  const to = readLocation(shared.post)
  return to && signIn.test(`${to.host}${to.pathname}`) ? to : undefined
}

const signInRedirect: Check = {
  id: 'sign-in-redirect',
  severity: 'fault',
  title: 'The MCP URL redirects to a sign-in page',
  why: 'A login in front of the server (Cloudflare Access, an authenticating proxy, the session check of a web framework) is for browsers. Clients begin to sign in at a 401 and at nothing else.',
  fix: 'Take the MCP path, /.well-known/*, and the OAuth endpoints out of that login (Cloudflare Access: an application for these paths with a Bypass policy), and answer 401 with WWW-Authenticate.',
  breaks: ['unauthorized-401', 'no-redirect-on-mcp', 'unauthorized-401-on-get'],
  stops: 'discover',
  find: (visit) => {
    const to = findSignInRedirect(visit)
    const { post } = visit.shared
    return to && { seen: tell(post), evidence: [post] }
  },
}

const limited: Check = {
  id: 'discovery-limited',
  severity: 'fault',
  title: 'Discovery is rate limited',
  why: 'Hosted clients share a few addresses among all their users, and several take a 429 during discovery for a failure and give up.',
  fix: 'Leave the MCP path without a token, and /.well-known/* out of limits by address; these answers cost nothing and can be cached.',
  breaks: ['resource-metadata', 'server-metadata'],
  stops: 'discover',
  find: (visit) => {
    const { post } = visit.shared
    const requests = [
      post,
      ...findObservations(visit, 'resourceMetadata'),
      ...findObservations(visit, 'serverMetadata'),
    ]
    const evidence = requests.filter((each) => readKind(each) === 'limited')
    const [first] = evidence
    return first && { seen: tell(first), evidence }
  },
}

/** Challenge pages, tunnels, logins and limits in front of the server. */
export const frontChecks = [tunnelOffline, tunnelWarning, botChallenge, signInRedirect, limited]
