/** A person's link to a provider, opened: reading it, and what it becomes. */
import { OAuthError } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/ports.ts'
import { type Link, links } from '../storage/records/link.ts'
import type { Stored } from '../storage/records/record.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Store } from '../storage/store.ts'
import type { Upstream, UpstreamTokens } from './upstream.ts'

/** Whose link it is. */
export interface LinkName {
  readonly userId: string
  readonly upstream: Upstream
}

/** A link as it was read, with its tokens opened. */
export interface OpenLink extends Stored<Link> {
  readonly tokens: UpstreamTokens | undefined
  /** What the store still holds, when it was spent for these tokens. Absent: it holds these. */
  readonly spent?: UpstreamTokens
}

/** What links are read and written with. */
export interface LinkPorts {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly log: Log
}

/** Purpose of the sealed tokens, here and while they wait to be revoked. */
export const tokensPurpose = 'upstream-tokens'

/** How long before its end an access token is refreshed, in seconds; at most half its life. */
const leewaySeconds = 60

/** The life of an access token that can be refreshed when the provider did not say, in seconds (UP-14). */
const assumedSeconds = 3600

/** The link of a person to a provider, if there is one. */
export async function findLink(ports: LinkPorts, name: LinkName): Promise<OpenLink | undefined> {
  const stored = await links.find(ports.store, name.userId, name.upstream.id)
  return stored && { ...stored, tokens: openTokens(ports, stored) }
}

/** The tokens of a link. A damaged row costs this one person a sign-in (SG-11); a key that is not known yet is a fault that passes. */
export function openTokens(
  { sealer, log }: Pick<LinkPorts, 'sealer' | 'log'>,
  link: Stored<Link>,
): UpstreamTokens | undefined {
  const { sealedTokens } = link.value
  if (sealedTokens === undefined) return undefined
  try {
    return JSON.parse(sealer.open(tokensPurpose, link.key, sealedTokens)) as UpstreamTokens
  } catch (error) {
    if (!(error instanceof OAuthError) || error.reason !== 'unsealable') throw error
    log.error("A provider's tokens cannot be read; the person must sign in again", {
      key: link.key,
    })
    return undefined
  }
}

/** The link that holds these tokens: nobody has leased it. */
export function toLink(
  { sealer, clock }: Pick<LinkPorts, 'sealer' | 'clock'>,
  key: string,
  tokens: UpstreamTokens | undefined,
  verifiedAt: number,
): Link {
  if (tokens === undefined) return { verifiedAt }
  const { expiresAt } = tokens
  const givenAt = clock.now()
  const refreshFrom = toRefreshFrom(tokens, givenAt)
  return {
    sealedTokens: sealer.seal(tokensPurpose, key, JSON.stringify(tokens)),
    givenAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(refreshFrom !== undefined && { refreshFrom }),
    verifiedAt,
  }
}

function toRefreshFrom(
  { expiresAt, refreshToken }: UpstreamTokens,
  now: number,
): number | undefined {
  if (expiresAt !== undefined)
    return expiresAt - Math.min(leewaySeconds, Math.ceil((expiresAt - now) / 2))
  return refreshToken === undefined ? undefined : now + assumedSeconds
}

/** The link with newer tokens that its own were spent for, under the lease that it has. */
export function withTokens(
  ports: Pick<LinkPorts, 'sealer' | 'clock'>,
  link: OpenLink,
  tokens: UpstreamTokens,
): OpenLink {
  const { lease, verifiedAt } = link.value
  const value = { ...toLink(ports, link.key, tokens, verifiedAt), ...(lease && { lease }) }
  const spent = link.spent ?? link.tokens
  return { ...link, tokens, value, ...(spent && { spent }) }
}

/** The link without its lease, and with these changes. */
export function toReleased(
  { lease: _, restUntil: __, ...link }: Link,
  changes: Partial<Link>,
): Link {
  return { ...link, ...changes }
}

/** The link after its end: what it held is gone. */
export function toEnded({ verifiedAt }: Link, why: Link['endedWhy'], at: number): Link {
  return { verifiedAt, endedAt: at, ...(why !== undefined && { endedWhy: why }) }
}

/** Whether the access token may be used without asking the provider for another one. */
export function isFresh({ value }: OpenLink, now: number): boolean {
  return value.refreshFrom === undefined || now < value.refreshFrom
}

/** Whether the access token still works, as far as the provider said. */
export function isAlive({ value }: OpenLink, now: number): boolean {
  return value.expiresAt === undefined || now < value.expiresAt
}

/** How far the clock of another host may be ahead of ours, in seconds, and what it wrote still counts. */
const skewSeconds = 60

/** Whether the provider vouched for the person within this time. A date in the future is none: a clock moved back. */
export function isVerified({ value }: OpenLink, withinSeconds: number, now: number): boolean {
  const age = now - value.verifiedAt
  return age >= -skewSeconds && age <= withinSeconds
}

/** Whether the provider failed just now and is to be left alone. */
export function isResting({ value: { restUntil = 0 } }: OpenLink, now: number): boolean {
  return now < restUntil && restUntil - now <= skewSeconds
}

/** Whether there is a way to new tokens. */
export function isRefreshable({ tokens }: OpenLink, upstream: Upstream, now: number): boolean {
  if (tokens?.refreshToken === undefined || upstream.refresh === undefined) return false
  return tokens.refreshExpiresAt === undefined || now < tokens.refreshExpiresAt
}
