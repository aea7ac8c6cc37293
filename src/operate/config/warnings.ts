/** What may well be a mistake in a configuration that can be served, each with its place and the way out. */
import { findClientNames, listClients, shortestSecret } from './clients.ts'
import type { Layers, SettingPath } from './layers.ts'
import type { Settings } from './load.ts'
import { type Problem, toName } from './problems.ts'
import { type ConfiguredProvider, listProviders } from './provider-list.ts'
import type { RawConfig } from './schema.ts'
import { isShared } from './store.ts'

/** A warning and what it is about. */
interface Warning {
  readonly path: SettingPath
  readonly isDue: boolean
  readonly problem: string
}

/** What the warnings need besides the settings. */
interface Origin {
  readonly layers: Layers
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Everything that is worth a second look. */
export function findWarnings(
  raw: RawConfig,
  settings: Omit<Settings, 'warnings'>,
  { layers, env }: Origin,
): Problem[] {
  const warnings = [
    ...findStoreWarnings(settings),
    ...findDoorWarnings(raw),
    ...findClientWarnings(raw),
    ...listProviders(raw).flatMap((provider) => findCrowd(provider, raw)),
    ...findMove(raw),
  ]
  const due = warnings
    .filter(({ isDue }) => isDue)
    .map(({ path, problem }) => ({ place: layers.locate(path), setting: toName(path), problem }))
  return [...due, ...findIdleNames(raw, { layers, env })]
}

function findStoreWarnings({ store, ephemeralPlatform }: Omit<Settings, 'warnings'>): Warning[] {
  const isMemory = store.driver === 'memory'
  return [
    {
      path: ['store'],
      isDue: ephemeralPlatform !== undefined && !isShared(store),
      problem: `is not kept. On ${ephemeralPlatform} the disk goes with the instance, and with it every account, client and token; use --store postgres://… or redis://…`,
    },
    {
      path: ['store'],
      isDue: isMemory && ephemeralPlatform === undefined,
      problem: 'is in memory: a restart forgets every account, client and token',
    },
    {
      path: ['store', 'onWeakDurability'],
      isDue: store.driver === 'redis' && store.onWeakDurability === 'warn',
      problem:
        'is warn: what this Redis loses, such as a client or a refresh, people must do again',
    },
  ]
}

function findDoorWarnings(raw: RawConfig): Warning[] {
  const { oauthEnabled, noSignIn, letAnyoneIn } = raw
  return [
    {
      path: ['letAnyoneIn'],
      isDue: oauthEnabled && noSignIn && letAnyoneIn,
      problem: 'is true: everyone who finds the address gets in with one click',
    },
    {
      path: ['letAnyoneIn'],
      isDue: letAnyoneIn && !noSignIn,
      problem: 'does nothing without noSignIn; remove it',
    },
  ]
}

function findClientWarnings(raw: RawConfig): Warning[] {
  return listClients(raw).map(({ options: { id, secret }, path }) => ({
    path: [...path, 'secret'],
    isDue: secret !== undefined && secret.length < shortestSecret,
    problem: `of ${id} has fewer than ${shortestSecret} characters; make one that nobody guesses: openssl rand -hex 32`,
  }))
}

/** A provider that everybody has an account at, and no rule about who may enter. */
function findCrowd({ settings, path }: ConfiguredProvider, raw: RawConfig): Warning[] {
  const { deny: _, match: __, ...rules } = settings.admission
  const isPublic =
    settings.type === 'github' ||
    (settings.type === 'google' && settings.hostedDomain === undefined) ||
    (settings.type === 'entra' && /^(common|organizations|consumers)$/.test(settings.tenant))
  const isOpen = Object.values(rules).every((list) => list === undefined)
  return [
    {
      path: [...path, 'allow'],
      isDue: isPublic && isOpen && !raw.invitedOnly && raw.oauthEnabled,
      problem: `is not there, so that everyone with an account at ${settings.type} may enter: name whom you let in (${settings.type === 'github' ? 'GITHUB_ALLOWED_LOGIN or ' : ''}allow), or set invitedOnly: true`,
    },
  ]
}

function findMove({ to, backends }: RawConfig): Warning[] {
  const listed = backends[0]?.to
  return [
    {
      path: ['to'],
      isDue: to !== undefined && listed !== undefined && to !== listed,
      problem: `${to} takes the place of backends[0].to, ${listed}`,
    },
  ]
}

/** `OAUTH_CLIENT_ID` and the like beside something that was given otherwise, so that they count for nothing. */
function findIdleNames(raw: RawConfig, { layers, env }: Origin): Problem[] {
  const problem = 'is not used: what it could fill in is given otherwise; remove it'
  const members = ['id', 'secret'] as const
  return members.flatMap((member) => {
    const paths: SettingPath[] = [
      ['client', member],
      ...listProviders(raw).map(({ path }) => [...path, toProviderMember(member)]),
    ]
    const places = paths.map((path) => layers.locate(path))
    const names = findClientNames(env, member)
    const isUsed = names.some((name) => places.includes(name))
    return isUsed ? [] : names.map((place) => ({ place, setting: '', problem }))
  })
}

function toProviderMember(member: 'id' | 'secret'): string {
  return member === 'id' ? 'clientId' : 'clientSecret'
}
