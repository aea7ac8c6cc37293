/**
 * Every setting that a name in the environment can give: where it lives in the configuration, how its
 * text is read, and the names it has besides its own `GATEHOUSE_…`.
 *
 * The further names are those of deployments that exist (`SERVER_URL`, `OAUTH_VALID_SCOPES` …); a name
 * that begins with `OAUTH_` is read with `MCP_` before it too (S1).
 */
import { endpointNames } from '../../oauth/endpoint-paths.ts'
import type { ProviderType } from './providers.ts'

/** How the text of an environment variable becomes a value. */
export type SettingKind =
  | 'text'
  | 'number'
  | 'boolean'
  | 'list'
  | 'yaml'
  | 'scopes'
  /** `true` is dynamic and `false` static, besides the modes by their names (R2). */
  | 'registration-mode'

/** One setting. */
export interface Setting {
  /** Its place in the configuration file, such as `['log', 'level']`. */
  readonly path: readonly string[]
  readonly kind: SettingKind
  /** Environment names that mean the same. */
  readonly aliases: readonly string[]
  /**
   * Names that fill in what is left open of a provider that was chosen otherwise. They choose none by
   * themselves, because they mean other things as well: `AZURE_CLIENT_ID` is the Azure SDK's. Where there is
   * no provider, `OAUTH_CLIENT_ID` and `OAUTH_CLIENT_SECRET` are a client of ours.
   */
  readonly fallbacks: readonly string[]
  /** Secrets can also be given as `NAME_FILE`, naming a file that holds them. */
  readonly secret: boolean
}

/** Our client at a provider that `OAUTH_ISSUER` or the like names; without any, a client of ours. */
const staticClient = { id: ['OAUTH_CLIENT_ID'], secret: ['OAUTH_CLIENT_SECRET'] }

const settings: readonly Setting[] = [
  toSetting('publicUrl', 'text', ['SERVER_URL', 'BASE_URL', 'OAUTH_ISSUER_URL']),
  toSetting('host', 'text'),
  toSetting('port', 'number'),
  toSetting('drainSeconds', 'number'),
  toSetting('data', 'text'),
  toSecret('store.url', ['GATEHOUSE_STORE']),
  toSecret('store.directUrl'),
  toSetting('store.prefix', 'text'),
  toSetting('store.onWeakDurability', 'text'),
  toSetting('to', 'text'),
  toSetting('command', 'yaml'),
  toSetting('env', 'yaml'),
  toSetting('backends', 'yaml'),
  toSetting('paths.base', 'text'),
  ...endpointNames.map((name) => toSetting(`paths.${name}`, 'text')),
  toSetting('paths.aliases', 'yaml'),
  toSetting('oauthEnabled', 'boolean', ['OAUTH_ENABLED']),
  toSetting('siteName', 'text'),
  toSetting('scopes', 'scopes', ['OAUTH_VALID_SCOPES']),
  toSetting('defaultScopes', 'list', ['OAUTH_DEFAULT_SCOPES']),
  toSetting('scopeHierarchy', 'yaml'),
  toSetting('lifetimes.codeSeconds', 'number'),
  toSetting('lifetimes.accessTokenSeconds', 'number'),
  toSetting('lifetimes.refreshIdleSeconds', 'number'),
  toSetting('lifetimes.refreshAbsoluteSeconds', 'number'),
  toSetting('lifetimes.flowSeconds', 'number'),
  toSetting('lifetimes.sessionSeconds', 'number'),
  toSetting('refresh.graceSeconds', 'number'),
  toSetting('refresh.lostResponseSeconds', 'number'),
  toSetting('refresh.onReuse', 'text'),
  toSetting('signingAlgorithm', 'text'),
  toSecret('jwtSecret', ['OAUTH_JWT_SECRET']),
  toSecret('jwtSecretPrevious', ['OAUTH_JWT_SECRET_PREVIOUS']),
  toSetting('signingKeyRotationSeconds', 'number'),
  toSetting('noSignIn', 'boolean'),
  toSetting('letAnyoneIn', 'boolean'),
  toSetting('localSignIn', 'boolean'),
  toSetting('dynamicRegistration', 'boolean'),
  toSetting('reuseRegistrations', 'boolean'),
  toSetting('client.id', 'text', [], staticClient.id),
  toSecret('client.secret', [], staticClient.secret),
  toSetting('client.name', 'text'),
  toSetting('client.redirectUris', 'list'),
  toSetting('client.scopes', 'list'),
  toSetting('client.tokenEndpointAuthMethod', 'text'),
  toSetting('client.pkce', 'text'),
  toSetting('clients', 'yaml'),
  toSetting('registration.mode', 'registration-mode', ['OAUTH_USE_DYNAMIC_REGISTRATION']),
  toSetting('registration.static.clientId', 'text'),
  toSetting('registration.verify.issuer', 'text'),
  toSetting('registration.verify.audience', 'text'),
  toSetting('registration.verify.algorithms', 'list'),
  toSetting('registration.verify.requiredScopes', 'list'),
  toSetting('registration.auth0.domain', 'text'),
  toSetting('registration.auth0.clientId', 'text'),
  toSecret('registration.auth0.clientSecret'),
  toSetting('clientMetadataDocuments', 'yaml'),
  toSetting('acceptNewIssuer', 'boolean'),
  toSetting('acceptNewProvider', 'boolean'),
  toSetting('gateBodyLimitBytes', 'number'),
  ...toProviderSettings('github', staticClient),
  toSetting('github.allowedLogins', 'list', ['GITHUB_ALLOWED_LOGIN']),
  toSetting('github.allowedEmails', 'list'),
  toSetting('github.allowedDomains', 'list'),
  toSetting('github.allow.organizations', 'list', ['GITHUB_ALLOWED_ORGANIZATION']),
  toSetting('github.allow.teams', 'list', ['GITHUB_ALLOWED_TEAM']),
  toSetting('github.endpoints.web', 'text'),
  toSetting('github.endpoints.api', 'text'),
  ...toProviderSettings('google', staticClient),
  toSetting('google.hostedDomain', 'text', ['GOOGLE_HOSTED_DOMAIN']),
  toSetting('google.issuer', 'text'),
  ...toProviderSettings('auth0', staticClient),
  toSetting('auth0.domain', 'text', ['AUTH0_DOMAIN']),
  toSetting('auth0.issuer', 'text'),
  toSetting('auth0.audience', 'text', ['AUTH0_AUDIENCE'], ['OAUTH_AUDIENCE']),
  ...toProviderSettings('okta', staticClient),
  toSetting('okta.issuer', 'text', ['OKTA_ISSUER']),
  ...toProviderSettings('entra', {
    id: ['AZURE_CLIENT_ID', ...staticClient.id],
    secret: ['AZURE_CLIENT_SECRET', ...staticClient.secret],
  }),
  toSetting('entra.tenant', 'text', ['ENTRA_TENANT_ID'], ['AZURE_TENANT_ID']),
  toSetting('entra.allow.tenants', 'list', ['ENTRA_ALLOWED_TENANT']),
  ...toProviderSettings('oidc', staticClient),
  toSetting('oidc.label', 'text'),
  toSetting('oidc.issuer', 'text', ['OAUTH_ISSUER']),
  toSetting('oidc.audience', 'text', [], ['OAUTH_AUDIENCE']),
  ...toProviderSettings('oauth2', staticClient),
  toSetting('providers', 'yaml'),
  toSetting('allow.emails', 'list', ['ALLOWED_EMAILS']),
  toSetting('allow.domains', 'list', ['ALLOWED_DOMAINS']),
  toSetting('deny.emails', 'list'),
  toSetting('deny.domains', 'list'),
  toSetting('callbackUrl', 'text', ['OAUTH_REDIRECT_URI']),
  toSetting('invitedOnly', 'boolean'),
  toSetting('linkByVerifiedEmail', 'boolean'),
  toSetting('contact', 'text'),
  toSetting('reverifySeconds', 'number'),
  toSetting('lifetime', 'text'),
  toSetting('sessions.perUser', 'number'),
  toSetting('developmentCookies.secure', 'boolean'),
  toSetting('developmentCookies.sameSite', 'text'),
  toSetting('log.level', 'text'),
  toSetting('log.format', 'text'),
  toSetting('metrics.port', 'number'),
  toSetting('metrics.host', 'text'),
  toSecret('tokenEncryptionKey', ['TOKEN_ENCRYPTION_KEY']),
  toSecret('tokenEncryptionKeyPrevious', ['TOKEN_ENCRYPTION_KEY_PREVIOUS']),
  toSetting('debug', 'boolean'),
]

/** The settings by each environment name that gives them, without `…_FILE`. */
export const settingsByName: ReadonlyMap<string, Setting> = new Map(
  settings.flatMap((setting) => toNames(setting).map((name) => [name, setting] as const)),
)

/** The settings with names that only fill in, in pairs with each of these names. */
export const fallbackNames: readonly (readonly [string, Setting])[] = settings.flatMap((setting) =>
  withPrefixed(setting.fallbacks).map((name) => [name, setting] as const),
)

/** The environment names to tell people for the setting at a path: the one they know, then our own. */
export function findEnvironmentNames(path: readonly string[]): string[] {
  const setting = settings.find((one) => one.path.join('.') === path.join('.'))
  if (setting === undefined) return []
  const [own = ''] = toNames(setting)
  return [...setting.aliases, ...setting.fallbacks].slice(0, 1).concat(own)
}

function toSetting(
  path: string,
  kind: SettingKind,
  aliases: string[] = [],
  fallbacks: string[] = [],
): Setting {
  return { path: path.split('.'), kind, aliases, fallbacks, secret: false }
}

function toSecret(path: string, aliases: string[] = [], fallbacks: string[] = []): Setting {
  return { path: path.split('.'), kind: 'text', aliases, fallbacks, secret: true }
}

/** What every short form of a provider has; `NAME_CLIENT_ID` and the like where the type has a name of its own. */
function toProviderSettings(type: ProviderType, fallbacks: Fallbacks = {}): Setting[] {
  const name = type.toUpperCase()
  const isGeneric = type === 'oidc' || type === 'oauth2'
  const toAliases = (end: string) => (isGeneric ? [] : [`${name}_${end}`, `OAUTH_${name}_${end}`])
  const toLists = (end: string) =>
    isGeneric || type === 'github' ? [] : [`${name}_ALLOWED_${end}`]
  return [
    toSetting(`${type}.clientId`, 'text', toAliases('CLIENT_ID'), fallbacks.id),
    toSecret(`${type}.clientSecret`, toAliases('CLIENT_SECRET'), fallbacks.secret),
    toSetting(`${type}.callbackPath`, 'text'),
    toSetting(`${type}.allow.emails`, 'list', toLists('EMAIL')),
    toSetting(`${type}.allow.domains`, 'list', toLists('DOMAIN')),
  ]
}

/** Names that fill in the credentials of a provider. */
interface Fallbacks {
  readonly id?: string[]
  readonly secret?: string[]
}

function toNames({ path, aliases }: Setting): string[] {
  const own = path.map((part) => part.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')
  return [`GATEHOUSE_${own}`, ...withPrefixed(aliases)]
}

function withPrefixed(names: readonly string[]): string[] {
  const prefixed = names.filter((name) => name.startsWith('OAUTH_')).map((name) => `MCP_${name}`)
  return [...names, ...prefixed]
}
