/**
 * The part of a visit that is one client's own: how it comes to a client id, its authorization request up
 * to the page where a person would sign in, and the removal of what it registered.
 */
import { type Random, sha256 } from '../platform/crypto.ts'
import type { ProbeRequest, ProbeResult, Send } from '../platform/probe.ts'
import type { ClientProfile } from '../profiles/profile.ts'
import {
  createRegistration,
  findRedirectUri,
  findWay,
  toAuthorizationUrl,
} from './client-requests.ts'
import { parseWebUrl, toDocumentRequest } from './documents.ts'
import { limitRequests, toObservation } from './observe.ts'
import { registerClient, removeRegistration } from './registration.ts'
import { findNext, findOwnPlace, seeAs } from './views.ts'
import type { ClientVisit, ServerSeen, SharedVisit } from './visit.ts'

/** What playing a client reaches the world through. */
export interface PlayPorts {
  readonly send: Send
  readonly random: Random
  /** Whether it may register. Without, a client that has to is `skipped`. */
  readonly mayRegister: boolean
}

/** Most requests for each client. */
export const clientRequestsAllowed = 4

/** Plays one client with at most {@link clientRequestsAllowed} requests. */
export async function play(
  profile: ClientProfile,
  shared: SharedVisit,
  ports: PlayPorts,
): Promise<ClientVisit> {
  if (isUntrusted(shared)) return { profile, identification: 'skipped' }
  const send = limitRequests(ports.send, clientRequestsAllowed)
  const { server, hasLooked } = await findServer(profile, shared, send)
  const found = server === undefined ? { profile } : { profile, server }
  const playing = { profile, shared: seeAs(shared, found), send, random: ports.random }
  const way = findWay(profile, playing.shared)
  if (way.kind === 'document') {
    const asked = await askForPage(playing, way.kind, way.id)
    return { ...found, identification: way.kind, clientId: way.id, ...asked }
  }
  if (way.kind !== 'registration') return { ...found, identification: way.kind }
  if (!ports.mayRegister) return { ...found, identification: 'skipped' }
  const registered = await playRegistration(playing, way.endpoint, hasLooked)
  return { ...found, identification: way.kind, ...registered }
}

/** The authorization server that a client comes to, where it is not as all see it: at most one request. */
async function findServer(
  profile: ClientProfile,
  shared: SharedVisit,
  send: Send,
): Promise<{ readonly server?: ServerSeen; readonly hasLooked: boolean }> {
  const next = findNext(profile, shared)
  const { issuer, isIssuerNamed, serverMetadata } = next ?? shared
  const own = findOwnPlace(profile, { issuer, isIssuerNamed, serverMetadata })
  if (own === undefined) return { ...(next && { server: next }), hasLooked: false }
  const request = toDocumentRequest(own.url)
  const seen = toObservation(request, await send(request))
  const server = {
    issuer,
    isIssuerNamed,
    serverMetadata: { ...serverMetadata, [own.place]: seen },
  }
  return { server, hasLooked: true }
}

/** Whoever has looked for metadata of its own has no request left for where the page redirects to. */
async function playRegistration(
  playing: Playing,
  endpoint: string,
  hasLooked: boolean,
): Promise<Pick<ClientVisit, 'registration' | 'clientId' | 'authorize' | 'signIn' | 'removal'>> {
  const { profile, shared, send } = playing
  const body = createRegistration(profile, shared)
  const { registration, clientId, management } = await registerClient(endpoint, body, send)
  const staysAtPage = hasLooked && management !== undefined
  const asked =
    clientId === undefined
      ? {}
      : await askForPage({ ...playing, staysAtPage }, 'registration', clientId)
  const removal = management && (await removeRegistration(management, send))
  return {
    registration,
    ...(clientId === undefined ? {} : { clientId }),
    ...asked,
    ...(removal === undefined ? {} : { removal }),
  }
}

/** Where the certificate is not trusted, no client goes on, and nothing may be sent that is kept. */
function isUntrusted({ host }: SharedVisit): boolean {
  return 'certificate' in host && host.certificate?.problem !== undefined
}

/** One client being played. */
interface Playing {
  readonly profile: ClientProfile
  readonly shared: SharedVisit
  readonly send: Send
  readonly random: Random
  /** Whether no redirect from the authorization endpoint is followed. */
  readonly staysAtPage?: boolean
}

/** The authorization request, and the page that it sends the browser to: a sign-in page, of a provider perhaps. */
async function askForPage(
  { profile, shared, send, random, staysAtPage = false }: Playing,
  way: 'document' | 'registration',
  clientId: string,
): Promise<Pick<ClientVisit, 'authorize' | 'signIn'>> {
  const redirectUri = findRedirectUri(profile, way)
  if (redirectUri === undefined) return {}
  const url = toAuthorizationUrl({
    profile,
    shared,
    clientId,
    redirectUri,
    state: random(16),
    codeChallenge: sha256(random(32)),
  })
  if (url === undefined) return {}
  const request = toPageRequest(url)
  const result = await send(request)
  const authorize = toObservation(request, result)
  const next = findSignIn(url, redirectUri, result)
  if (next === undefined || staysAtPage) return { authorize }
  return { authorize, signIn: toObservation(next, await send(next)) }
}

function toPageRequest(url: URL, cookie = ''): ProbeRequest {
  const accept = { accept: 'text/html,application/xhtml+xml' }
  return {
    method: 'GET',
    url: url.href,
    headers: cookie === '' ? accept : { ...accept, cookie },
  }
}

/** The page that a redirect leads to. The client's own redirect URI is none: it is nobody's to visit. */
function findSignIn(from: URL, redirectUri: string, result: ProbeResult): ProbeRequest | undefined {
  const { status = 0, headers = {} } = result.answer ?? {}
  const { location } = headers
  if (status < 300 || status > 399 || location === undefined) return undefined
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
  const page = parseWebUrl(to?.href)
  if (page === undefined || isCallback(page, redirectUri)) return undefined
  const isSameOrigin = page.origin === from.origin
  return toPageRequest(page, isSameOrigin ? toCookies(headers['set-cookie'] ?? '') : '')
}

function isCallback(page: URL, redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false
  const { origin, pathname } = new URL(redirectUri)
  return page.origin === origin && page.pathname === pathname
}

/** `a=1; Path=/, b=2` as a browser sends it back: `a=1; b=2`. Dates have commas, too. */
function toCookies(fields: string): string {
  return fields
    .split(/,\s*(?=[^\s;,=]+=)/)
    .map((field) => field.split(';')[0]?.trim() ?? '')
    .filter(Boolean)
    .join('; ')
}
