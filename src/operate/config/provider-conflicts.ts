/** Identity providers that are fine by themselves but not together, or not with the rest of the settings. */
import { needsUpstreamToken } from '../../identity/caller-facts.ts'
import { hostUpstream, localUpstream, sharedUpstream } from '../../identity/users.ts'
import { type EndpointPaths, listPlaces } from '../../oauth/endpoint-paths.ts'
import type { SettingPath } from './layers.ts'
import { type Problem, toName } from './problems.ts'
import { type ConfiguredProvider, listProviders, type ProviderSettings } from './provider-list.ts'
import type { ProviderRules, ProviderType } from './providers.ts'
import type { RawConfig } from './schema.ts'

/** What the rules need of the settings as they will be. */
export interface ProviderSurroundings {
  readonly publicUrl: string
  readonly backends: RawConfig['backends']
  /** Where our own endpoints are. */
  readonly paths: EndpointPaths
}

/** One broken rule. */
interface Breach {
  readonly path: SettingPath
  readonly problem: string
}

/** Ids that mean something else where a person's provider is written down. */
const reservedIds = [localUpstream, sharedUpstream, hostUpstream]

/** Where our own pages and documents are: no callback may take their place. */
export function listOwnPaths(paths: EndpointPaths): readonly string[] {
  return listPlaces(paths)
    .filter(({ name }) => name !== 'paths.callback')
    .map(({ path }) => path)
}

/** What a type of provider says of people besides login and e-mail address. */
const factsByType: Readonly<Record<ProviderType, readonly (keyof ProviderRules)[]>> = {
  github: ['organizations', 'teams'],
  google: ['tenants', 'claims'],
  auth0: ['tenants', 'claims'],
  okta: ['claims'],
  entra: ['tenants', 'claims'],
  oidc: ['claims'],
  oauth2: ['claims'],
}

const judgedFacts = ['organizations', 'teams', 'tenants', 'claims'] as const

/** Everything about providers that contradicts itself. */
export function findProviderConflicts(
  raw: RawConfig,
  surroundings: ProviderSurroundings,
  locate: (path: SettingPath) => string,
): Problem[] {
  const providers = listProviders(raw)
  const breaches = [
    ...providers.flatMap((provider, index) =>
      findTwins(provider, providers.slice(0, index), surroundings),
    ),
    ...providers.flatMap((provider) => findCollision(provider, surroundings)),
    ...providers.flatMap((provider) => findRuleBreaches(provider, raw)),
    ...providers.flatMap(findIssuerBreach),
    ...findCallbackUrlBreaches(raw, surroundings),
    ...surroundings.backends.flatMap((backend, index) =>
      findBackendBreaches(backend, ['backends', index], { raw, providers }),
    ),
    ...(providers.length === 0 ? findIdleSettings(raw) : findIdleAmong(providers, raw)),
  ]
  return breaches.map(({ path, problem }) => ({
    place: locate(path),
    setting: toName(path),
    problem,
  }))
}

/** Where a provider sends the browser back to. */
function toCallbackPath({ id, callbackPath }: ProviderSettings, paths: EndpointPaths): string {
  return callbackPath ?? `${paths.callback}/${id}`
}

function findTwins(
  provider: ConfiguredProvider,
  earlier: readonly ConfiguredProvider[],
  { paths }: ProviderSurroundings,
): Breach[] {
  const { settings, path } = provider
  const { id } = settings
  const at = (member: string): SettingPath => [...path, member]
  if (reservedIds.includes(id)) {
    return [{ path: at('id'), problem: `must not be ${id}, which has a meaning of its own` }]
  }
  const twin = earlier.find((other) => other.settings.id === id)
  if (twin) {
    const problem = `is ${id}, which ${toName(twin.path)} is already; give one of them another id`
    return [{ path: at('id'), problem }]
  }
  const callback = toCallbackPath(settings, paths)
  const double = earlier.find((other) => toCallbackPath(other.settings, paths) === callback)
  if (!double) return []
  const problem = `is ${callback}, which is the callback of ${toName(double.path)} already; give each its own`
  return [{ path: at('callbackPath'), problem }]
}

function findCollision(
  provider: ConfiguredProvider,
  { backends, paths }: ProviderSurroundings,
): Breach[] {
  const callback = toCallbackPath(provider.settings, paths)
  const path = [...provider.path, 'callbackPath']
  if (backends.some((backend) => (backend.path ?? '/mcp') === callback)) {
    return [{ path, problem: `is ${callback}, where clients reach an MCP server; choose another` }]
  }
  const isOurs =
    listOwnPaths(paths).some((own) => own === callback) ||
    callback.startsWith('/.well-known/') ||
    callback.startsWith(`${paths.register}/`)
  if (!isOurs) return []
  return [{ path, problem: `is ${callback}, where Gatehouse itself answers; choose another` }]
}

/** A rule about what the provider never says would shut everybody out, or let everybody in. */
function findRuleBreaches({ settings, path }: ConfiguredProvider, raw: RawConfig): Breach[] {
  const { type, admission } = settings
  const given: [string, ProviderRules][] = [
    ['allow', admission],
    ['deny', admission.deny ?? {}],
  ]
  const unknown = given.flatMap(([list, rules]) =>
    judgedFacts
      .filter((fact) => rules[fact] !== undefined && !factsByType[type].includes(fact))
      .map((fact) => ({
        path: [...path, list, fact],
        problem: `cannot be judged: ${type} does not say it; use ${toChoice(type)}`,
      })),
  )
  const isMatchIdle = admission.match !== undefined && !hasRules(admission) && !raw.allow
  const idle = { path: [...path, 'match'], problem: 'says how rules combine, but allow has none' }
  return isMatchIdle ? [...unknown, idle] : unknown
}

function hasRules({ deny: _, match: __, ...allow }: ConfiguredProvider['settings']['admission']) {
  return Object.values(allow).some((list) => list !== undefined)
}

function toChoice(type: ProviderType): string {
  return ['logins', 'emails', 'domains', ...factsByType[type]]
    .join(', ')
    .replace(/, (\w+)$/, ' or $1')
}

function findIssuerBreach({ settings, path }: ConfiguredProvider): Breach[] {
  if (settings.type !== 'auth0') return []
  const { domain, issuer } = settings
  if (domain !== undefined && issuer !== undefined) {
    return [
      { path: [...path, 'issuer'], problem: 'contradicts domain: name the tenant in one of them' },
    ]
  }
  if (domain !== undefined || issuer !== undefined) return []
  const problem =
    'is missing: give the domain of the tenant, such as example.eu.auth0.com, in the configuration file or as AUTH0_DOMAIN'
  return [{ path: [...path, 'domain'], problem }]
}

function findCallbackUrlBreaches(raw: RawConfig, { publicUrl }: ProviderSurroundings): Breach[] {
  if (raw.callbackUrl === undefined) return []
  const [only, ...others] = listProviders({ ...raw, callbackUrl: undefined })
  const path = ['callbackUrl']
  const url = new URL(raw.callbackUrl)
  if (!only) return []
  if (others.length > 0) {
    const problem = `names one callback, but ${others.length + 1} providers are configured; give each its callbackPath`
    return [{ path, problem }]
  }
  if (url.origin !== publicUrl) {
    const problem = `is at ${url.origin}, but the public URL is ${publicUrl}: the browser must come back here`
    return [{ path, problem }]
  }
  const { callbackPath } = only.settings
  if (callbackPath === undefined || callbackPath === url.pathname) return []
  return [{ path, problem: `contradicts ${toName(only.path)}.callbackPath; remove one of them` }]
}

function findBackendBreaches(
  { signInWith, forward, env }: RawConfig['backends'][number],
  path: SettingPath,
  { raw, providers }: { raw: RawConfig; providers: readonly ConfiguredProvider[] },
): Breach[] {
  const ids = providers.map(({ settings }) => settings.id)
  const isOurs = !raw.noSignIn && raw.registration?.mode !== 'verify'
  const hasLocal = raw.localSignIn ?? (ids.length === 0 && isOurs)
  const ways = hasLocal ? [...ids, localUpstream] : ids
  const breaches: Breach[] = []
  if (signInWith !== undefined && !ways.includes(signInWith)) {
    const known = ways.length === 0 ? 'nobody signs in here' : `there is ${ways.join(', ')}`
    breaches.push({
      path: [...path, 'signInWith'],
      problem: `names ${signInWith}, which is no way to sign in: ${known}`,
    })
  }
  const isInEnv = needsUpstreamToken(env)
  if (forward === undefined && !isInEnv) return breaches
  if (ids.length === 0 || signInWith === localUpstream) {
    breaches.push({
      path: [...path, isInEnv ? 'env' : 'forward'],
      problem:
        'needs people who sign in with an identity provider: there is no other token to give',
    })
  }
  return breaches
}

/** What would be believed to protect something, and protects nothing without a provider. */
function findIdleSettings(raw: RawConfig): Breach[] {
  const settings = [
    'allow',
    'deny',
    'reverifySeconds',
    'lifetime',
    'invitedOnly',
    'linkByVerifiedEmail',
    'callbackUrl',
  ] as const
  return settings
    .filter((setting) => raw[setting] !== undefined && raw[setting] !== false)
    .map((setting) => ({
      path: [setting],
      problem: 'is about identity providers, and none is configured; add one or remove it',
    }))
}

/** What would be believed to protect or to join something, and does not with these providers. */
function findIdleAmong(providers: readonly ConfiguredProvider[], raw: RawConfig): Breach[] {
  const breaches: Breach[] = []
  if (raw.allow && providers.every(({ hasOwnAllow }) => hasOwnAllow)) {
    const [only, ...others] = providers.map(({ path }) => `${toName(path)}.allow`)
    const problem = `is for providers without an allow of their own, and there is none: move it to ${only}${others.length > 0 ? ' and the like' : ''}, or remove it`
    breaches.push({ path: ['allow'], problem })
  }
  if (raw.linkByVerifiedEmail && providers.length === 1) {
    const problem = 'joins accounts of several providers, and only one is configured; remove it'
    breaches.push({ path: ['linkByVerifiedEmail'], problem })
  }
  return breaches
}
