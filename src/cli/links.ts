/** `gatehouse links`: what identity providers gave us for people, and how to be rid of it. */
import { planLinkRelease } from '../identity/grant-ending.ts'
import type { Settings } from '../operate/config/load.ts'
import { type Link, links } from '../storage/records/link.ts'
import type { Stored } from '../storage/records/record.ts'
import { noteInAudit } from './audit-trail.ts'
import { exitUsage, toFailure } from './failure.ts'
import { type Installation, withInstallation } from './installation.ts'
import { print, printAside, printRecords } from './output.ts'
import { type DataOptions, loadSettings } from './settings.ts'

/** Options of `links remove`. */
export interface LinkRemoveOptions extends DataOptions {
  /** The id of a provider, also of one that is configured no longer. */
  provider?: string
}

/** Says for each provider how many people's tokens are kept, and what for. */
export async function listLinks(options: DataOptions & { json?: boolean }): Promise<void> {
  const settings = loadSettings(options)
  await withInstallation({ ...options, mustExist: true }, async ({ store }) => {
    const held = (await links.all(store)).filter(holdsTokens)
    const byProvider = Map.groupBy(held, ({ key }) => toProviderId(key))
    const rows = [...byProvider].map(([provider, theirs]) => ({
      provider,
      people: theirs.length,
      used_for: findUses(provider, settings),
    }))
    printRecords(
      rows,
      {
        columns: ['PROVIDER', 'PEOPLE', 'USED FOR'],
        toRow: ({ provider, people, used_for }) => [
          provider,
          String(people),
          used_for.join(', ') || 'nothing: the provider is not configured',
        ],
        empty: 'No tokens of identity providers are kept',
      },
      options.json === true,
    )
  })
}

/**
 * Forgets what a provider gave, for everyone. A running server tells the provider to revoke it, where the
 * provider is still configured; otherwise nobody can.
 */
export async function removeLinks(options: LinkRemoveOptions): Promise<void> {
  const { provider } = options
  if (provider === undefined) {
    throw toFailure(
      'Say whose tokens shall go, with --provider ID; see: gatehouse links list',
      exitUsage,
    )
  }
  const settings = loadSettings(options)
  const uses = findUses(provider, settings)
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const count = await removeAll(installation, provider, uses.length > 0)
    print(`Forgot what ${provider} gave for ${count === 1 ? 'one person' : `${count} people`}`)
    if (count === 0) return
    if (uses.length === 0) {
      return printAside(
        `Note: ${provider} is not configured, so it was not told; people can disconnect Gatehouse there themselves`,
      )
    }
    printAside(`A running server tells ${provider} to revoke it`)
    const [needed, ...others] = uses.filter((use) => use !== revoking)
    if (needed === undefined) return
    printAside(`Note: ${[needed, ...others].join(', ')} needs it, so they sign in again there`)
  })
}

const revoking = 'revoking'

/** What the configuration keeps them for. */
function findUses(provider: string, settings: Settings): string[] {
  if (!settings.providers.some(({ id }) => id === provider)) return []
  const { backends, reverifySeconds, lifetime } = settings
  const isForwarded = backends.some(
    ({ forward, signInWith = provider }) => forward !== undefined && signInWith === provider,
  )
  return [
    ...(isForwarded ? ['forward'] : []),
    ...(reverifySeconds === undefined ? [] : ['reverifySeconds']),
    ...(lifetime === undefined ? [] : ['lifetime']),
    revoking,
  ]
}

async function removeAll(
  { store, clock, ...rest }: Installation,
  provider: string,
  isRevocable: boolean,
): Promise<number> {
  let count = 0
  for (const link of await links.all(store)) {
    if (toProviderId(link.key) !== provider || !holdsTokens(link)) continue
    const { set = [], ...plan } = planLinkRelease(link, clock.now())
    const [userId] = link.key.slice(links.key('').length).split('/')
    const audited = noteInAudit({ store, clock, ...rest }, () => [
      {
        event: 'upstream.ended',
        outcome: 'ok',
        reason: 'removed',
        userId,
        details: { upstream: provider },
      },
    ])
    // Whoever signed in or refreshed in this moment keeps what is newer.
    if (await audited.store.commit({ ...plan, ...(isRevocable && { set }) })) count += 1
  }
  return count
}

function holdsTokens({ value }: Stored<Link>): boolean {
  return value.sealedTokens !== undefined
}

function toProviderId(key: string): string {
  return key.split('/')[2] ?? ''
}
