/**
 * Choices the person asked us to remember (catalogue P7, CN-04, CN-13, CN-21).
 *
 * A remembered choice spares the page only for the same person, client, redirect URI and resource, for
 * no wider scope (a narrower one that it includes is none) and unchanged client metadata, for https redirects, and only when the browser came here
 * by itself: another website that sends it here gets the page, and so does a browser that only fetches
 * ahead.
 */
import type { RequestContext } from '../../context.ts'
import type { LiveSession } from '../../identity/sessions.ts'
import { redirectKind } from '../../oauth/redirect-uri.ts'
import { expandScopes, parseScope } from '../../oauth/scope.ts'
import { sha256 } from '../../platform/crypto.ts'
import type { Client } from '../../storage/records/client.ts'
import { consents } from '../../storage/records/consent.ts'
import type { Flow } from '../../storage/records/flow.ts'
import type { Write } from '../../storage/store.ts'

/** How long a choice is remembered, in seconds. */
const rememberSeconds = 365 * 86_400

/** What a remembered choice is about. */
type ConsentSubject = Pick<Flow, 'clientId' | 'redirectUri' | 'resource'>

/** The write that remembers a choice. */
export function toRememberedConsent(
  flow: Flow,
  client: Client,
  { userId, scope }: { userId: string; scope: string },
  context: RequestContext,
): Write {
  const at = context.clock.now()
  const value = {
    userId,
    clientId: client.id,
    scope,
    metadataHash: hashMetadata(client),
    at,
  }
  return consents.write(toConsentKey(userId, flow, context), value, at + rememberSeconds)
}

/** Whether this request may go without a page. */
export async function isRemembered(
  request: Request,
  flow: Flow,
  { client, session }: { client: Client; session: LiveSession },
  context: RequestContext,
): Promise<boolean> {
  const site = request.headers.get('sec-fetch-site')
  if (site !== 'none' && site !== 'same-origin') return false
  if (request.headers.has('sec-purpose')) return false
  if (redirectKind(flow.redirectUri) !== 'https') return false
  const key = toConsentKey(session.user.record.value.id, flow, context)
  const remembered = consents.decode((await context.store.get([key]))[0])?.value
  if (!remembered || remembered.metadataHash !== hashMetadata(client)) return false
  const allowed = expandScopes(parseScope(remembered.scope), context.config.scopeHierarchy ?? {})
  return parseScope(flow.scope).every((scope) => allowed.has(scope))
}

function toConsentKey(
  userId: string,
  { clientId, redirectUri, resource }: ConsentSubject,
  { sealer }: RequestContext,
): string {
  return consents.key(sealer.index('consent', [userId, clientId, redirectUri, resource].join(' ')))
}

function hashMetadata(client: Client): string {
  return sha256(JSON.stringify(client.metadata))
}
