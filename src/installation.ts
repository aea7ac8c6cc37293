/** What a store belongs to: one issuer, and one owner who sets it up. */
import type { Context } from './context.ts'
import { winRace } from './identity/races.ts'
import { sha256 } from './platform/crypto.ts'
import { type Installation, installations } from './storage/records/key.ts'
import { toStartError } from './storage/start-error.ts'

/**
 * Writes down the issuer at the first start, and holds every later start to it (design decision 4); and
 * how long access tokens may live, for whoever ends a grant.
 *
 * @throws Error named `StartError` when the store belongs to another issuer and that is not accepted
 */
export async function claimInstallation(context: Context, acceptNewIssuer: boolean): Promise<void> {
  const { issuer } = context.config
  const known = await winRace(() => tryClaim(context, acceptNewIssuer))
  if (known.issuer === issuer) return
  context.log.warn('The issuer changed: every client must connect again', {
    from: known.issuer,
    to: issuer,
  })
}

/** What was written down before, if anything; undefined when another start wrote at the same moment. */
async function tryClaim({ store, config, clock }: Context, acceptNewIssuer: boolean) {
  const { issuer, lifetimes } = config
  const stored = await installations.find(store, 'self')
  const known: Installation = stored?.value ?? { issuer, createdAt: clock.now() }
  if (known.issuer !== issuer && !acceptNewIssuer) {
    throw toStartError(toIssuerWarning(known.issuer, issuer))
  }
  const accessTokenSeconds = Math.max(known.accessTokenSeconds ?? 0, lifetimes.accessTokenSeconds)
  const isClaimed = known.issuer === issuer && known.accessTokenSeconds === accessTokenSeconds
  if (isClaimed) return known
  const key = installations.key('self')
  const claimed: Installation = { ...known, issuer, accessTokenSeconds }
  const written = await store.commit({
    check: [{ key, version: stored?.version ?? null }],
    set: [installations.write(key, claimed)],
  })
  return written ? known : undefined
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
