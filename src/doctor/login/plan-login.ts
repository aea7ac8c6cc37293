/** Where a login goes: read from what the walk saw, as a client of the current revision reads it. */
import type { ClientProfile } from '../../profiles/profile.ts'
import { findWay } from '../client-requests.ts'
import {
  findResourceMetadata,
  findServerMetadata,
  type JsonObject,
  parseWebUrl,
  readChallenge,
  readResource,
  readText,
  readTexts,
} from '../documents.ts'
import { findNext, seeAs } from '../views.ts'
import type { SharedVisit } from '../visit.ts'
import type { LoginClient, LoginPlan } from './login-visit.ts'

/** The doctor's own client: it receives on loopback, like a client on a laptop. */
export const ownClient: LoginClient = {
  id: 'doctor',
  name: 'Gatehouse doctor',
  registration: {
    client_name: 'Gatehouse doctor',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  },
  sendsResource: true,
}

/** A client of a profile as it logs in; undefined when it does not receive on loopback, so that we cannot be it. */
export function toLoginClient(profile: ClientProfile): LoginClient | undefined {
  const { id, name, redirects, identification, authorization } = profile
  if (!redirects.loopback) return undefined
  const { redirect_uris: uris, ...registration } = identification.registration ?? {
    ...ownClient.registration,
    client_name: name,
    redirect_uris: [],
  }
  const loopback = uris
    .map((uri) => URL.parse(uri))
    .find((uri) => uri !== null && /^(localhost|127\.0\.0\.1)$/.test(uri.hostname))
  return {
    id,
    name,
    profile,
    registration,
    redirect: loopback ? { host: loopback.hostname, path: loopback.pathname } : undefined,
    sendsResource: authorization.resource !== 'none',
  }
}

/** The plan, or why there can be none, in a sentence for the person. */
export function planLogin(
  visited: SharedVisit,
  client: LoginClient,
): { readonly plan: LoginPlan } | { readonly problem: string } {
  const { profile } = client
  const server = profile === undefined ? visited.next : findNext(profile, visited)
  const shared = seeAs(visited, { ...(server && { server }) })
  const metadata = findServerMetadata(shared)
  const authorization = readAddress(metadata, 'authorization_endpoint')
  const token = readAddress(metadata, 'token_endpoint')
  if (authorization === undefined || token === undefined) return { problem: toNoWay(shared) }
  const registration = readAddress(metadata, 'registration_endpoint')
  if (registration === undefined && client.clientId === undefined)
    return {
      problem:
        'The metadata names no registration endpoint: log in with a client that is known there, --client-id ID',
    }
  const resource = findResourceMetadata(shared)
  const resourceId = readResource(shared) ?? shared.url.href
  const elsewhere = findElsewhere(resourceId, shared.url)
  if (elsewhere !== undefined) {
    const { origin } = shared.url
    const problem = `The metadata is for a server at ${elsewhere}: a token for that one must not be sent to ${origin}`
    return { problem }
  }
  return {
    plan: {
      client,
      ...(profile && { usual: findWay(profile, shared) }),
      url: shared.url.href,
      resource: resourceId,
      issuer: shared.issuer,
      promisesIss: metadata?.['authorization_response_iss_parameter_supported'] === true,
      scope: findScope(shared, resource, metadata),
      endpoints: {
        authorization,
        token,
        registration,
        revocation: readAddress(metadata, 'revocation_endpoint'),
      },
      authenticationMethods: readTexts(metadata, 'token_endpoint_auth_methods_supported'),
    },
  }
}

/**
 * The origin of another server that tokens would be for: sent here, they would be stolen (RFC 9728 §3.3).
 * A proxy that hides https makes a server mistake its scheme alone.
 */
function findElsewhere(resource: string, url: URL): string | undefined {
  const named = URL.parse(resource)
  if (named === null || named.origin === url.origin) return undefined
  const isSchemeAlone = named.hostname === url.hostname && named.protocol !== url.protocol
  return isSchemeAlone ? undefined : named.origin
}

function toNoWay({ post }: SharedVisit): string {
  const status = post.response?.status ?? 0
  if (status >= 200 && status < 300)
    return 'The MCP endpoint lets everyone in, so there is nothing to log in to'
  return 'No metadata names an authorization endpoint and a token endpoint, so nobody can log in'
}

/** Only http and https: nothing else may be handed to the program that opens a page. */
function readAddress(metadata: JsonObject | undefined, name: string): string | undefined {
  return parseWebUrl(readText(metadata, name))?.href
}

/** The challenge's scopes, else the resource's; `offline_access` besides where it is known (MCP, Scope Selection). */
function findScope(
  shared: SharedVisit,
  resource: JsonObject | undefined,
  metadata: JsonObject | undefined,
): string | undefined {
  const asked = readChallenge(shared)['scope']?.split(' ')
  const scopes = asked ?? readTexts(resource, 'scopes_supported')
  const known = readTexts(metadata, 'scopes_supported')
  const offline = known.filter((scope) => scope === 'offline_access')
  const all = [...new Set([...scopes, ...(scopes.length > 0 ? offline : [])])].join(' ').trim()
  return all === '' ? undefined : all
}
