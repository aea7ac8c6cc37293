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
import { parseWebUrl } from './documents.ts'
import { limitRequests, toObservation } from './observe.ts'
import { registerClient, removeRegistration } from './registration.ts'
import type { ClientVisit, SharedVisit } from './visit.ts'

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
  const send = limitRequests(ports.send, clientRequestsAllowed)
  const playing = { profile, shared, send, random: ports.random }
  if (isUntrusted(shared)) return { profile, identification: 'skipped' }
  const way = findWay(profile, shared)
  if (way.kind === 'document') {
    const asked = await askForPage(playing, way.kind, way.id)
    return { profile, identification: way.kind, clientId: way.id, ...asked }
  }
  if (way.kind !== 'registration') return { profile, identification: way.kind }
  if (!ports.mayRegister) return { profile, identification: 'skipped' }
  const body = createRegistration(profile, shared)
  const { registration, clientId, management } = await registerClient(way.endpoint, body, send)
  const asked = clientId === undefined ? {} : await askForPage(playing, way.kind, clientId)
  const removal = management && (await removeRegistration(management, send))
  return {
    profile,
    identification: way.kind,
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
}

/** The authorization request, and the page that it sends the browser to: a sign-in page, of a provider perhaps. */
async function askForPage(
  { profile, shared, send, random }: Playing,
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
  if (next === undefined) return { authorize }
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
