/** Settings that are fine by themselves but not together. */
import { tellsOfCallers } from '../../identity/caller-facts.ts'
import type { EndpointPaths } from '../../oauth/endpoint-paths.ts'
import { findClientProblems, listClients } from './clients.ts'
import type { SettingPath } from './layers.ts'
import { findScopeConflicts } from './policy.ts'
import { type Problem, toName } from './problems.ts'
import { findProgramConflicts } from './programs.ts'
import { findProviderConflicts } from './provider-conflicts.ts'
import { listProviders } from './provider-list.ts'
import { isLoopbackHost } from './public-url.ts'
import { findRegistrationProblems } from './registration.ts'
import type { RawConfig } from './schema.ts'
import { makeKeyCommand } from './secrets.ts'
import { isShared, type StoreSettings } from './store.ts'

/** What the rules need besides the settings as they were given. */
export interface EffectiveSettings {
  readonly publicUrl: string
  readonly host: string
  readonly backends: RawConfig['backends']
  readonly store: StoreSettings
  readonly endpointPaths: EndpointPaths
}

/** What the command cannot do without. */
export interface Needs {
  readonly backend: boolean
  readonly masterKey: boolean
}

/** What must not be, and what is said when it is. */
interface Rule {
  readonly setting: keyof RawConfig
  readonly broken: boolean
  readonly problem: string
}

/** Every contradiction, and everything that is needed and missing. */
export function findConflicts(
  raw: RawConfig,
  effective: EffectiveSettings,
  locate: (path: SettingPath) => string,
  needs: Needs,
): Problem[] {
  const rules: Rule[] = [
    ...toNeedRules(raw, effective, needs),
    ...toSignInRules(raw, effective),
    ...toCookieRules(raw, effective),
    ...toSigningRules(raw),
    ...toSwitchRules(raw, effective),
  ]
  const unknown = findUnknownDefaults(raw)
  if (unknown.length > 0) {
    const problem = `names ${unknown.join(', ')}, which scopes does not have`
    rules.push({ setting: 'defaultScopes', broken: true, problem })
  }
  const found = rules
    .filter((rule) => rule.broken)
    .map(({ setting, problem }) => ({ place: locate([setting]), setting, problem }))
  return [
    ...found,
    ...findScopeConflicts(raw, effective.backends, locate),
    ...findProgramConflicts(effective.backends, locate),
    ...findProviderConflicts(raw, { ...effective, paths: effective.endpointPaths }, locate),
    ...findRegistrationConflicts(raw, locate),
    ...findClientConflicts(raw, locate),
  ]
}

/** What the command cannot do without. */
function toNeedRules(raw: RawConfig, effective: EffectiveSettings, needs: Needs): Rule[] {
  // Where both are said, neither is taken, and what is wrong with that is told already.
  const isSaid = raw.to !== undefined || raw.command !== undefined
  return [
    {
      setting: 'backends',
      broken: needs.backend && effective.backends.length === 0 && !isSaid,
      problem:
        'is missing: say what to protect, for example --to http://127.0.0.1:3000/mcp, or start it with -- npx some-mcp-server',
    },
    {
      setting: 'tokenEncryptionKey',
      broken: needs.masterKey && isShared(effective.store) && raw.tokenEncryptionKey === undefined,
      problem: `is missing: all instances on one store need the same key. Make one with ${makeKeyCommand} and give it to each as TOKEN_ENCRYPTION_KEY, or in a file as TOKEN_ENCRYPTION_KEY_FILE; for a store that was moved here it is the key it had before, such as the content of master.key`,
    },
  ]
}

/** Whether anybody signs in, and how. */
function toSignInRules(raw: RawConfig, effective: EffectiveSettings): Rule[] {
  const provider = findFirstProvider(raw)
  return [
    {
      setting: 'noSignIn',
      broken: raw.noSignIn && !raw.letAnyoneIn && !isLocal(effective),
      problem:
        'is for this machine only: everyone who finds the address would get in. Remove it, or set letAnyoneIn: true if that is what you want',
    },
    {
      setting: 'noSignIn',
      broken: raw.noSignIn && provider !== undefined,
      problem: `contradicts ${provider}: with it nobody signs in; remove one of them`,
    },
    {
      setting: 'noSignIn',
      broken: raw.noSignIn && raw.localSignIn === true,
      problem: 'contradicts localSignIn: with it nobody signs in; remove one of them',
    },
    {
      setting: 'localSignIn',
      broken: raw.localSignIn === false && provider === undefined && !raw.noSignIn,
      problem: 'is off, and no other way to sign in is configured; add a provider or remove it',
    },
  ]
}

function findRegistrationConflicts(
  raw: RawConfig,
  locate: (path: SettingPath) => string,
): Problem[] {
  const providers = listProviders(raw).map(({ settings }) => settings)
  const { dynamicRegistration, clientMetadataDocuments: documents } = raw
  const surroundings = { dynamicRegistration, documents, providers }
  return findRegistrationProblems(raw.registration, surroundings).map(({ path, problem }) => ({
    place: locate(path),
    setting: toName(path),
    problem,
  }))
}

function findClientConflicts(raw: RawConfig, locate: (path: SettingPath) => string): Problem[] {
  return [...findClientProblems(raw), ...findSecretToHandOut(raw)].map(({ path, problem }) => ({
    place: locate(path),
    setting: toName(path),
    problem,
  }))
}

/** In static mode everyone who registers gets the client, so that it cannot have a secret. */
function findSecretToHandOut(raw: RawConfig): { path: SettingPath; problem: string }[] {
  const { registration } = raw
  if (registration?.mode !== 'static') return []
  const id = registration.static?.clientId
  const given = listClients(raw).find(({ options }) => options.id === id && options.secret)
  if (given === undefined) return []
  const problem = `contradicts registration.mode static, which gives the client ${id} to everyone who registers, and nobody a secret: remove the secret and set tokenEndpointAuthMethod: none, or leave static mode`
  return [{ path: [...given.path, 'secret'], problem }]
}

/** Cookie flags that a browser drops, or that are not safe where others can listen. */
function toCookieRules(raw: RawConfig, { publicUrl }: EffectiveSettings): Rule[] {
  const { developmentCookies: flags } = raw
  const setting = 'developmentCookies'
  const provider = findFirstProvider(raw)
  return [
    {
      setting,
      broken: flags !== undefined && !publicUrl.startsWith('http:'),
      problem: 'are for development at http://localhost only: remove them',
    },
    {
      setting,
      broken: flags?.sameSite === 'none' && !flags.secure,
      problem: 'with sameSite none are dropped by browsers without secure: true',
    },
    {
      setting,
      broken: flags?.sameSite === 'strict' && provider !== undefined,
      problem: `with sameSite strict would not come back from ${provider}; use lax`,
    },
  ]
}

/** A secret that signs goes with HS256 alone, and opens nothing else. */
function toSigningRules({
  signingAlgorithm,
  jwtSecret,
  jwtSecretPrevious,
  tokenEncryptionKey,
}: RawConfig): Rule[] {
  const isKey = (secret: Uint8Array | undefined): boolean =>
    secret !== undefined &&
    tokenEncryptionKey !== undefined &&
    Buffer.from(secret).equals(tokenEncryptionKey)
  return [
    {
      setting: 'jwtSecret',
      broken: jwtSecret !== undefined && (signingAlgorithm ?? 'HS256') !== 'HS256',
      problem: `contradicts signingAlgorithm ${signingAlgorithm}: a secret signs with HS256 alone; remove one of them`,
    },
    {
      setting: 'signingAlgorithm',
      broken: signingAlgorithm === 'HS256' && jwtSecret === undefined,
      problem: `HS256 needs a secret that your backends share: make one with ${makeKeyCommand} and give it as OAUTH_JWT_SECRET`,
    },
    {
      setting: 'jwtSecretPrevious',
      broken: jwtSecretPrevious !== undefined && jwtSecret === undefined,
      problem: 'is for changing jwtSecret, which is not there; remove it',
    },
    {
      setting: 'jwtSecret',
      broken: isKey(jwtSecret) || isKey(jwtSecretPrevious),
      problem: `is the same as tokenEncryptionKey, which no backend may have; make another with ${makeKeyCommand}`,
    },
  ]
}

/** Without OAuth there is no person whom a backend could be told about, and nothing that could be verified. */
function toSwitchRules(
  { oauthEnabled, noSignIn, registration }: RawConfig,
  { backends }: EffectiveSettings,
): Rule[] {
  const told = backends.find(
    ({ identity = 'none', forward, env }) => identity !== 'none' || forward || tellsOfCallers(env),
  )
  return [
    {
      setting: 'oauthEnabled',
      broken: !oauthEnabled && noSignIn,
      problem: 'is false, which contradicts noSignIn: that is OAuth with one click; remove one',
    },
    {
      setting: 'oauthEnabled',
      broken: !oauthEnabled && registration?.mode === 'verify',
      problem:
        'is false, which contradicts registration.mode verify: without OAuth no token is looked at; remove one',
    },
    {
      setting: 'oauthEnabled',
      broken: !oauthEnabled && told !== undefined,
      problem: `is false, so that nobody signs in whom the backend ${told?.id ?? 'mcp'} could be told about; remove its identity, its forward, and every caller in its env`,
    },
  ]
}

/** The setting that the first provider is configured by. */
function findFirstProvider(raw: RawConfig): string | undefined {
  const [first] = listProviders(raw)
  return first && toName(first.path)
}

function isLocal({ publicUrl, host }: EffectiveSettings): boolean {
  return isLoopbackHost(new URL(publicUrl).hostname) && isLoopbackHost(host)
}

function findUnknownDefaults({ scopes, defaultScopes = [] }: RawConfig): string[] {
  return scopes === undefined ? [] : defaultScopes.filter((name) => scopes[name] === undefined)
}
