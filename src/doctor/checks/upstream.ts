/**
 * The identity provider behind a broker: what it says when the authorization endpoint sends the browser
 * on. A broker has one client of its own there; what it says of it is wrong shows on the sign-in page.
 */
import type { Check, Sighting } from '../finding.ts'
import { narrow } from '../places.ts'
import { readError, readLocation, tell } from '../reading.ts'
import type { ClientVisit, Visit } from '../visit.ts'
import { saysUnknownClient } from './registered.ts'

/** A sign-in at an identity provider that refused it. */
interface Refused {
  readonly client: ClientVisit
  /** The address with the broker's parameters. */
  readonly to: URL
  readonly words: string
}

function listRefused({ clients }: Visit): readonly Refused[] {
  return clients.flatMap((client) => {
    const { authorize, signIn } = client
    const to = authorize && readLocation(authorize)
    const isUpstream = to?.searchParams.has('client_id') && to.searchParams.has('redirect_uri')
    if (!to || !isUpstream || !signIn?.response) return []
    const words = readError(signIn.response)
    const isRefused =
      signIn.response.status >= 400 || /redirect_uri_mismatch|callback url mismatch/i.test(words)
    return isRefused ? [{ client, to, words }] : []
  })
}

function findRefused(
  visit: Visit,
  isSo: (refused: Refused) => boolean,
  advise: (refused: Refused) => string,
): Sighting | undefined {
  const concerned = listRefused(visit).filter(isSo)
  const [first] = concerned
  if (first === undefined) return undefined
  const { authorize, signIn } = first.client
  const evidence = [authorize, signIn].filter((each) => each !== undefined)
  return {
    seen: `${evidence.map(tell).join('; ')}: ${first.words}`,
    evidence,
    fix: advise(first),
    ...narrow(
      visit,
      concerned.map(({ client }) => client),
    ),
  }
}

const isForwarded = ({ client, to }: Refused) =>
  to.searchParams.get('client_id') === client.clientId
const isCallback = ({ words }: Refused) => /redirect|callback/i.test(words)

const forwardedId: Check = {
  id: 'upstream-gets-our-client-id',
  severity: 'fault',
  title: 'The identity provider is given the client id of the MCP client, which it does not know',
  why: 'A broker registers MCP clients itself and has one client of its own at the provider. Auth0 says “Unknown client: mcp_…”.',
  fix: 'Send the browser to the provider with the broker’s own client id and callback, and keep the MCP client’s in the state.',
  gatehouse:
    'Gatehouse always uses its own client at the provider (oidc.clientId, github.clientId …)',
  breaks: ['authorization-page'],
  stops: 'authorize',
  find: (visit) =>
    findRefused(
      visit,
      (refused) => isForwarded(refused) && saysUnknownClient(refused.client.signIn),
      ({ to, client }) =>
        `Send the browser to ${to.origin} with the broker’s own client id in place of ${client.clientId}.`,
    ),
}

const callbackRefused: Check = {
  id: 'upstream-refuses-callback',
  severity: 'fault',
  title: 'The identity provider refuses the callback of the authorization server',
  why: 'The address is not among the allowed ones of its client there; ChatGPT only says “Something went wrong”.',
  fix: 'Allow exactly this callback at the provider (Auth0: Allowed Callback URLs; Google: Authorised redirect URIs; GitHub: Authorization callback URL).',
  gatehouse: 'callbackUrl, or the callbackPath of the provider',
  breaks: ['authorization-page'],
  stops: 'authorize',
  after: ['upstream-gets-our-client-id'],
  find: (visit) =>
    findRefused(
      visit,
      isCallback,
      ({ to }) =>
        `Allow exactly ${to.searchParams.get('redirect_uri')} at ${to.origin} for the client ${to.searchParams.get('client_id')}.`,
    ),
}

const upstreamRefuses: Check = {
  id: 'upstream-refuses',
  severity: 'fault',
  title: 'The identity provider refuses the sign-in',
  why: 'The person is sent there and sees its error page.',
  fix: 'Compare client id, callback, scopes and audience with the settings at the provider; its words say which.',
  gatehouse: 'the settings of the provider: clientId, clientSecret, audience, issuer',
  breaks: ['authorization-page'],
  stops: 'authorize',
  after: ['upstream-gets-our-client-id', 'upstream-refuses-callback'],
  find: (visit) =>
    findRefused(
      visit,
      () => true,
      ({ to }) =>
        `Compare what ${to.origin} was sent (${to.search}) with the settings of the client ${to.searchParams.get('client_id')} there.`,
    ),
}

/** The identity provider. */
export const upstreamChecks = [forwardedId, callbackRefused, upstreamRefuses]
