/** What a store belongs to: one issuer, the providers whose people it knows, and one owner who sets it up. */
import type { Context } from './context.ts'
import { winRace } from './identity/races.ts'
import { sha256 } from './platform/crypto.ts'
import { type Installation, installations } from './storage/records/key.ts'
import { toStartError } from './storage/start-error.ts'

/** What may differ from what was written down. */
export interface Acceptance {
  readonly acceptNewIssuer?: boolean
  readonly acceptNewProvider?: boolean
}

/**
 * Writes down the issuer and those of the providers at the first start, and holds every later start to them
 * (design decision 4, catalogue UP-08); and how long access tokens may live, for whoever ends a grant.
 *
 * @throws Error named `StartError` when the store belongs to another issuer, or a provider is another one than
 *   before, and that is not accepted
 */
export async function claimInstallation(context: Context, acceptance: Acceptance): Promise<void> {
  const { config, log, upstreams } = context
  const known = await winRace(() => tryClaim(context, acceptance))
  if (known.issuer !== config.issuer) {
    log.warn('The issuer changed: every client must connect again', {
      from: known.issuer,
      to: config.issuer,
    })
  }
  for (const { upstream, from, to } of findNewProviders(known, upstreams))
    log.warn('An identity provider changed: ids of its people mean who has them there', {
      upstream,
      from,
      to,
    })
}

/** What was written down before, if anything; undefined when another start wrote at the same moment. */
async function tryClaim({ store, config, clock, upstreams }: Context, accepted: Acceptance) {
  const { issuer, lifetimes } = config
  const stored = await installations.find(store, 'self')
  const known: Installation = stored?.value ?? { issuer, createdAt: clock.now() }
  if (known.issuer !== issuer && accepted.acceptNewIssuer !== true) {
    throw toStartError(toIssuerWarning(known.issuer, issuer))
  }
  const [changed] = findNewProviders(known, upstreams)
  if (changed && accepted.acceptNewProvider !== true) throw toStartError(toProviderWarning(changed))
  const providerIssuers = { ...known.providerIssuers, ...listIssuers(upstreams) }
  const accessTokenSeconds = Math.max(known.accessTokenSeconds ?? 0, lifetimes.accessTokenSeconds)
  const isClaimed = known.issuer === issuer && known.accessTokenSeconds === accessTokenSeconds
  if (isClaimed && isSameRecord(providerIssuers, known.providerIssuers)) return known
  const key = installations.key('self')
  const claimed: Installation = { ...known, issuer, accessTokenSeconds, providerIssuers }
  const written = await store.commit({
    check: [{ key, version: stored?.version ?? null }],
    set: [installations.write(key, claimed)],
  })
  return written ? known : undefined
}

/** A provider whose id meant another one before. */
interface NewProvider {
  readonly upstream: string
  readonly from: string
  readonly to: string
}

function findNewProviders(
  { providerIssuers = {} }: Installation,
  upstreams: Context['upstreams'],
): NewProvider[] {
  return Object.entries(listIssuers(upstreams)).flatMap(([upstream, to]) => {
    const from = Object.hasOwn(providerIssuers, upstream) ? providerIssuers[upstream] : undefined
    return from === undefined || from === to ? [] : [{ upstream, from, to }]
  })
}

/** Provider id → issuer, of those that name one. */
function listIssuers(upstreams: Context['upstreams']): Record<string, string> {
  const named = [...upstreams.values()].flatMap(({ id, issuer }) =>
    issuer === undefined ? [] : [[id, issuer]],
  )
  return Object.fromEntries(named)
}

/** Whether the first, which holds everything of the second, holds no more and nothing else. */
function isSameRecord(all: Record<string, string>, known: Record<string, string> = {}): boolean {
  return Object.entries(all).every(([id, issuer]) => known[id] === issuer)
}

function toProviderWarning({ upstream, from, to }: NewProvider): string {
  return [
    `The accounts of the identity provider ${upstream} belong to ${from}, but it is now configured as ${to}.`,
    'Whoever has the same id there would get the account of somebody else here.',
    'Give the new provider another id. If it is the same one under a new address, start once with --accept-new-provider (acceptNewProvider).',
  ].join('\n')
}

function toIssuerWarning(known: string, asked: string): string {
  return [
    `This data belongs to ${known}, but the public URL is now ${asked}.`,
    'Every connected app would have to be connected again: clients bind what they store to the issuer.',
    'Start with the old public URL, with another data folder, or with --accept-new-issuer.',
  ].join('\n')
}

/**
 * Makes the one-time link with which the first owner sets up an account; an older link stops working.
 *
 * @returns undefined when there is an account already or nobody signs in with a password
 */
export async function createSetupLink(context: Context): Promise<string | undefined> {
  if (!context.localSignIn || (await context.users.any())) return undefined
  const token = context.random(32)
  await winRace(() => replaceSetupLink(context, token))
  return `${context.config.issuer}${context.config.paths.setup}?token=${token}`
}

/** Undefined when another start was faster: whoever is last has the link that works. */
async function replaceSetupLink({ store }: Context, token: string): Promise<true | undefined> {
  const stored = await installations.find(store, 'self')
  if (!stored)
    throw toStartError('This data was removed while Gatehouse was starting; start it again.')
  const replaced = await store.commit({
    check: [{ key: stored.key, version: stored.version }],
    set: [installations.write(stored.key, { ...stored.value, setupHash: sha256(token) })],
  })
  return replaced || undefined
}
