/** The identity providers of a configuration, from short forms and list, each with its effective rules. */
import type { z } from 'zod'
import type { SettingPath } from './layers.ts'
import {
  type createProviderSchemas,
  type everywhereRules,
  type ProviderRules,
  type ProviderType,
  providerTypes,
} from './providers.ts'

type Schemas = ReturnType<typeof createProviderSchemas>
type Entry = z.output<Schemas['entries']>[number]
type Blocks = { readonly [T in keyof Schemas['blocks']]?: z.output<Schemas['blocks'][T]> }

/** The settings that say how people sign in through others. */
export interface RawProviders extends Blocks {
  readonly providers: readonly Entry[]
  readonly allow?: z.output<typeof everywhereRules> | undefined
  readonly deny?: z.output<typeof everywhereRules> | undefined
  /** Our callback at the only provider, as a whole URL. */
  readonly callbackUrl?: string | undefined
}

/** An entry of any type, as the factories take it: `allow`, `deny` and `match` have become `admission`. */
export type ProviderSettings = Admitted<Entry>
type Admitted<T> = T extends Entry
  ? Omit<T, 'id' | 'allow' | 'deny' | 'match'> & { id: string; admission: EffectiveRules }
  : never

/** Who may enter through one provider. */
export interface EffectiveRules extends ProviderRules {
  readonly deny?: ProviderRules
  readonly match?: 'any' | 'all' | undefined
}

/** A provider and where it was configured. */
export interface ConfiguredProvider {
  readonly settings: ProviderSettings
  /** `['github']`, or `['providers', 0]`. */
  readonly path: SettingPath
  /** Whether it says itself whom it allows, so that what is allowed everywhere does not count. */
  readonly hasOwnAllow: boolean
}

/** Every provider: the short forms first, then the list in its order. */
export function listProviders(raw: RawProviders): ConfiguredProvider[] {
  const entries = [
    ...providerTypes.flatMap((type) => findShortForm(type, raw)),
    ...raw.providers.map((entry, index) => ({ entry, path: ['providers', index] })),
  ]
  const [, ...others] = entries
  return entries.map(({ entry, path }) => {
    const settings = toSettings(entry, raw)
    const isOnly = others.length === 0 && raw.callbackUrl !== undefined
    const callbackPath = isOnly ? new URL(raw.callbackUrl ?? '').pathname : settings.callbackPath
    return {
      settings: { ...settings, callbackPath: settings.callbackPath ?? callbackPath },
      path,
      hasOwnAllow: entry.allow !== undefined,
    }
  })
}

function findShortForm(type: ProviderType, raw: RawProviders) {
  const block = type === 'github' ? toPlainGitHub(raw.github) : raw[type]
  // The block was read by the schema of its own type, which TypeScript cannot follow through the lookup.
  return block === undefined ? [] : [{ entry: { type, ...block } as Entry, path: [type] }]
}

/** The short lists that were there before `allow` are parts of it. */
function toPlainGitHub(block: RawProviders['github']) {
  if (block === undefined) return undefined
  const { allowedLogins, allowedEmails, allowedDomains, allow, ...plain } = block
  const short = { logins: allowedLogins, emails: allowedEmails, domains: allowedDomains }
  const isShort = Object.values(short).some((list) => list !== undefined)
  return isShort || allow ? { ...plain, allow: joinRules(allow ?? {}, short) } : plain
}

/**
 * What is denied everywhere is denied here too. What is allowed everywhere holds where nothing else is
 * allowed, so that the rules of one provider cannot be widened by accident.
 */
function toSettings(entry: Entry, raw: RawProviders): ProviderSettings {
  const { id, allow, deny, match, ...rest } = entry
  const admission = {
    ...(allow ?? raw.allow),
    ...((deny || raw.deny) && { deny: joinRules(deny ?? {}, raw.deny ?? {}) }),
    ...(match !== undefined && { match }),
  }
  return { ...rest, id: id ?? entry.type, admission } as ProviderSettings
}

/** Both lists of every kind. */
function joinRules(one: ProviderRules, other: ProviderRules): ProviderRules {
  const joined = { ...one }
  for (const kind of ['logins', 'emails', 'domains'] as const) {
    if (one[kind] || other[kind]) joined[kind] = [...(one[kind] ?? []), ...(other[kind] ?? [])]
  }
  return joined
}
