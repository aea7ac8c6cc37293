/** What the consent page shows for a journey. */
import type { Config, RequestContext } from '../../context.ts'
import { toDocumentHost } from '../../oauth/document-client-id.ts'
import { redirectHost, redirectKind } from '../../oauth/redirect-uri.ts'
import { expandScopes, parseScope } from '../../oauth/scope.ts'
import { findSiteOwner } from '../../profiles/destination.ts'
import { findLookAlike, isHomeOf } from '../../profiles/look-alike.ts'
import type { Client } from '../../storage/records/client.ts'
import type { ClientView, RedirectView } from '../pages/client-label.ts'
import type { ConsentView, ScopeView } from '../pages/consent.ts'
import { mintFormToken } from './browser.ts'
import { type ShownJourney, toFormBinding } from './journey.ts'

/** The redirect URI as people see it. */
export function toRedirectView(uri: string): RedirectView {
  const [kind, host] = [redirectKind(uri), redirectHost(uri)]
  const owner = kind === 'https' ? findSiteOwner(host) : undefined
  return { kind, host, uri, ...(owner !== undefined && { owner }) }
}

/** The client as people see it. */
export function toClientView(client: Client, redirectUri: string): ClientView {
  const { client_name: name, client_uri: uri } = client.metadata
  return {
    name,
    id: client.id,
    vouched: client.origin === 'preregistered',
    seenBefore: client.authorizedAt !== undefined,
    lookAlike: findImitated(client, redirectUri),
    ...(client.origin === 'document' && { publishedAt: toDocumentHost(client.id) }),
    ...(uri !== undefined && { uri }),
  }
}

/** The known client that it is not: by where it would send the code, or by where its document stands. */
function findImitated({ id, origin, metadata }: Client, redirectUri: string): string | undefined {
  const { client_name: name } = metadata
  if (name === undefined) return undefined
  const byRedirect = findLookAlike(name, [redirectHost(redirectUri)])
  if (byRedirect !== undefined || origin !== 'document') return byRedirect
  const host = toDocumentHost(id)
  const byHost = findLookAlike(name, [host])
  return byHost === undefined || isHomeOf(byHost, host) ? undefined : byHost
}

/** The hidden fields of a journey's form. */
export function toFlowForm(journey: ShownJourney, action: string, context: RequestContext) {
  const csrf = mintFormToken(journey.browser, toFormBinding(journey, context), context)
  return { action, flow: journey.flow.value.id, csrf }
}

/**
 * The view of the consent page at the journey's stage.
 *
 * @param earlier what the person has already allowed this client; without it nothing is marked as new
 */
export function toConsentView(
  journey: ShownJourney,
  client: Client,
  context: RequestContext,
  earlier?: ReadonlySet<string>,
): ConsentView {
  const { flow, session, stage } = journey
  const { config } = context
  const redirect = toRedirectView(flow.value.redirectUri)
  const shown =
    stage === 'confirm' ? (flow.value.approvedScope ?? flow.value.scope) : flow.value.scope
  return {
    stage: stage === 'sign-in' ? 'approve' : stage,
    siteName: config.siteName,
    client: toClientView(client, flow.value.redirectUri),
    redirect,
    scopes: toScopeViews(shown, config, earlier),
    staysConnected: client.metadata.grant_types.includes('refresh_token'),
    user: toUserView(journey),
    oneClick: config.noSignIn,
    canRemember: session !== undefined && redirect.kind === 'https',
    form: toFlowForm(journey, config.paths.consent, context),
  }
}

function toScopeViews(
  scope: string,
  { scopes, scopeHierarchy = {} }: Config,
  earlier?: ReadonlySet<string>,
): ScopeView[] {
  const describe = (name: string) => scopes[name] ?? name
  return parseScope(scope)
    .filter((name) => name !== 'offline_access')
    .map((name) => ({
      name,
      description: describe(name),
      checked: true,
      isNew: earlier !== undefined && !earlier.has(name),
      includes: [...expandScopes([name], scopeHierarchy)].slice(1).map(describe),
    }))
}

function toUserView({ session, stage }: ShownJourney): ConsentView['user'] {
  if (!session || stage === 'approve') return undefined
  const { login, name } = session.user.profile
  return name === undefined ? { login } : { login, name }
}
