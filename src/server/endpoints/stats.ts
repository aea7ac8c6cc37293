/**
 * GET /oauth/stats: what is configured and what is alive, in numbers (A4).
 *
 * For the owner; for everyone where nobody signs in, as whoever asks there could do anything anyway.
 */
import type { Config, Endpoint } from '../../context.ts'
import { verifyOwner } from '../admin.ts'
import { toJson } from '../respond.ts'
import { type LiveCounts, readLiveCounts } from '../statistics.ts'

/** Answers with the counts. */
export const stats: Endpoint = async (request, context) => {
  const { config } = context
  if (config.oauthEnabled && !config.noSignIn) await verifyOwner(request, context)
  return toJson(toStats(config, await readLiveCounts(context)))
}

/** The document, in the shape that dashboards of that deployment read. */
export function toStats(
  {
    oauthEnabled,
    issuer,
    scopes,
    defaultScopes,
  }: Pick<Config, 'oauthEnabled' | 'issuer' | 'scopes' | 'defaultScopes'>,
  counts: LiveCounts,
): Record<string, unknown> {
  return {
    oauth_enabled: oauthEnabled,
    issuer_url: issuer,
    valid_scopes: Object.keys(scopes),
    default_scopes: [...defaultScopes],
    clients: counts.clients,
    authorization_codes: counts.authorizationCodes,
    access_tokens: counts.accessTokens,
    refresh_tokens: counts.refreshTokens,
  }
}
