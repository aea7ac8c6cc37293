/**
 * Every setting that a name in the environment can give: where it lives in the configuration, how its
 * text is read, and the names it has besides its own `GATEHOUSE_…`.
 *
 * The further names are those of deployments that exist (`SERVER_URL`, `OAUTH_VALID_SCOPES` …); a name
 * that begins with `OAUTH_` is read with `MCP_` before it too (S1).
 */

/** How the text of an environment variable becomes a value. */
export type SettingKind = 'text' | 'number' | 'boolean' | 'list' | 'yaml' | 'scopes'

/** One setting. */
export interface Setting {
  /** Its place in the configuration file, such as `['log', 'level']`. */
  readonly path: readonly string[]
  readonly kind: SettingKind
  /** Environment names that mean the same. */
  readonly aliases: readonly string[]
  /** Secrets can also be given as `NAME_FILE`, naming a file that holds them. */
  readonly secret: boolean
}

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
  toSetting('backends', 'yaml'),
  toSetting('siteName', 'text'),
  toSetting('scopes', 'scopes', ['OAUTH_VALID_SCOPES']),
  toSetting('defaultScopes', 'list', ['OAUTH_DEFAULT_SCOPES']),
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
  toSetting('signingKeyRotationSeconds', 'number'),
  toSetting('noSignIn', 'boolean'),
  toSetting('letAnyoneIn', 'boolean'),
  toSetting('localSignIn', 'boolean'),
  toSetting('dynamicRegistration', 'boolean'),
  toSetting('reuseRegistrations', 'boolean'),
  toSetting('acceptNewIssuer', 'boolean'),
  toSetting('gateBodyLimitBytes', 'number'),
  toSetting('github.clientId', 'text', ['GITHUB_CLIENT_ID', 'OAUTH_GITHUB_CLIENT_ID']),
  toSecret('github.clientSecret', ['GITHUB_CLIENT_SECRET', 'OAUTH_GITHUB_CLIENT_SECRET']),
  toSetting('github.allowedLogins', 'list', ['GITHUB_ALLOWED_LOGIN']),
  toSetting('github.allowedEmails', 'list'),
  toSetting('github.allowedDomains', 'list'),
  toSetting('github.endpoints.web', 'text'),
  toSetting('github.endpoints.api', 'text'),
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

/** The environment names to tell people for the setting at a path: the one they know, then our own. */
export function findEnvironmentNames(path: readonly string[]): string[] {
  const setting = settings.find((one) => one.path.join('.') === path.join('.'))
  if (setting === undefined) return []
  const [own = ''] = toNames(setting)
  return [...setting.aliases.slice(0, 1), own]
}

function toSetting(path: string, kind: SettingKind, aliases: string[] = []): Setting {
  return { path: path.split('.'), kind, aliases, secret: false }
}

function toSecret(path: string, aliases: string[] = []): Setting {
  return { path: path.split('.'), kind: 'text', aliases, secret: true }
}

function toNames({ path, aliases }: Setting): string[] {
  const own = path.map((part) => part.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')
  const prefixed = aliases.filter((name) => name.startsWith('OAUTH_')).map((name) => `MCP_${name}`)
  return [`GATEHOUSE_${own}`, ...aliases, ...prefixed]
}
