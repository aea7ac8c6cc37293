/** From options to the effective configuration: defaults filled in, every mistake a `TypeError`. */
import type { Backend, Config } from './context.ts'
import { isLoopbackHost, parsePublicUrl } from './operate/config/public-url.ts'
import type { BackendOptions, GatehouseOptions } from './options.ts'
import type { RotationRules } from './tokens/key-rotation.ts'

const day = 86_400

/**
 * The configuration that options stand for.
 *
 * @throws TypeError naming the option, what it is and what it must be
 */
export function createConfig(options: GatehouseOptions): Config {
  const issuer = parseIssuer(options.issuer)
  const backends = options.backends.map((backend) => toBackend(backend, issuer))
  verifyBackends(backends)
  const siteName = options.siteName ?? toSiteName(backends, issuer)
  const scopes = options.scopes ?? { mcp: `Use ${siteName} on your behalf` }
  const defaultScopes = options.defaultScopes ?? Object.keys(scopes)
  verifyScopes(scopes, defaultScopes)
  verifyNoSignIn(options, issuer)
  return Object.freeze({
    issuer,
    backends,
    scopes,
    defaultScopes,
    lifetimes: toLifetimes(options),
    refresh: toRefreshRules(options, backends),
    noSignIn: options.noSignIn ?? false,
    letAnyoneIn: options.letAnyoneIn ?? false,
    dynamicRegistration: options.dynamicRegistration ?? true,
    reuseRegistrations: options.reuseRegistrations ?? false,
    siteName,
    gateBodyLimitBytes: options.gateBodyLimitBytes ?? 4 * 1024 * 1024,
  })
}

function parseIssuer(issuer: string): string {
  const parsed = parsePublicUrl(issuer)
  if ('problem' in parsed) throw new TypeError(`issuer ${JSON.stringify(issuer)} ${parsed.problem}`)
  return parsed.origin
}

function toBackend(options: BackendOptions, issuer: string): Backend {
  const { id = 'mcp', path = '/mcp', identity = 'none', headers = {} } = options
  if (!/^[a-z0-9-]+$/.test(id)) {
    throw new TypeError(
      `Backend id ${JSON.stringify(id)} must be lower-case letters, digits and hyphens`,
    )
  }
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path) || /\/\.{1,2}(\/|$)/.test(path)) {
    throw new TypeError(`Backend path ${JSON.stringify(path)} must look like /mcp`)
  }
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return Object.freeze({
    id,
    name: options.name ?? id,
    path,
    resource: issuer + path,
    ...(options.to !== undefined && { to: new URL(options.to) }),
    identity,
    headers: Object.freeze(Object.fromEntries(lowerCase) as Record<string, string>),
  })
}

function verifyBackends(backends: readonly Backend[]): void {
  if (backends.length === 0) throw new TypeError('At least one backend is needed')
  for (const member of ['id', 'path'] as const) {
    const seen = new Set(backends.map((backend) => backend[member]))
    if (seen.size < backends.length) throw new TypeError(`Two backends have the same ${member}`)
  }
}

function toSiteName(backends: readonly Backend[], issuer: string): string {
  const [only, ...others] = backends
  return only && others.length === 0 && only.name !== only.id ? only.name : new URL(issuer).host
}

function verifyScopes(scopes: Record<string, string>, defaults: readonly string[]): void {
  for (const name of Object.keys(scopes)) {
    if (!/^[\x21\x23-\x5B\x5D-\x7E]{1,100}$/.test(name) || name === 'offline_access') {
      throw new TypeError(
        `Scope ${JSON.stringify(name)} is not a name that a scope can have (RFC 6749 §3.3)`,
      )
    }
  }
  const unknown = defaults.find((name) => !Object.hasOwn(scopes, name))
  if (unknown !== undefined)
    throw new TypeError(`Default scope ${JSON.stringify(unknown)} is not among the scopes`)
  if (defaults.length === 0) throw new TypeError('At least one default scope is needed')
}

/** Everyone who reaches an address without sign-in gets in; that is for this computer only (A7). */
function verifyNoSignIn(options: GatehouseOptions, issuer: string): void {
  const { noSignIn, letAnyoneIn, localSignIn } = options
  if (noSignIn && localSignIn) {
    throw new TypeError('noSignIn contradicts localSignIn: with it nobody signs in; leave one out')
  }
  if (!noSignIn || letAnyoneIn || isLoopbackHost(new URL(issuer).hostname)) return
  throw new TypeError(
    `noSignIn would let anyone in at ${issuer}: use it on localhost, or set letAnyoneIn as well`,
  )
}

/** What rotation is configured by. */
type RotationOptions = Pick<
  GatehouseOptions,
  'signingAlgorithm' | 'signingKeyRotationSeconds' | 'lifetimes'
>

/**
 * How signing keys are renewed.
 *
 * @throws TypeError when they would be renewed more often than once an hour
 */
export function createRotationRules(options: RotationOptions): RotationRules {
  const { signingAlgorithm = 'ES256', signingKeyRotationSeconds = 30 * day } = options
  if (!Number.isInteger(signingKeyRotationSeconds) || signingKeyRotationSeconds < 3600) {
    throw new TypeError(
      'signingKeyRotationSeconds must be a whole number of seconds, at least 3600',
    )
  }
  return {
    algorithm: signingAlgorithm,
    rotationSeconds: signingKeyRotationSeconds,
    tokenSeconds: toLifetimes(options).accessTokenSeconds,
  }
}

function toLifetimes({ lifetimes = {} }: Pick<GatehouseOptions, 'lifetimes'>): Config['lifetimes'] {
  const result = {
    codeSeconds: 60,
    accessTokenSeconds: 3600,
    refreshIdleSeconds: 30 * day,
    refreshAbsoluteSeconds: 365 * day,
    flowSeconds: 600,
    sessionSeconds: day,
    ...lifetimes,
  }
  for (const [name, seconds] of Object.entries(result)) {
    if (!Number.isInteger(seconds) || seconds < 1) {
      throw new TypeError(`lifetimes.${name} must be a whole number of seconds, at least 1`)
    }
  }
  if (result.codeSeconds > 600) throw new TypeError('lifetimes.codeSeconds must be at most 600')
  return Object.freeze(result)
}

/** A lost response is excused for a day where our gate sees every use, five minutes where it cannot. */
function toRefreshRules(
  { refresh = {} }: GatehouseOptions,
  backends: readonly Backend[],
): Config['refresh'] {
  const seesUse = backends.every((backend) => backend.to !== undefined)
  return Object.freeze({
    graceSeconds: 120,
    lostResponseSeconds: seesUse ? day : 300,
    onReuse: 'revoke' as const,
    ...refresh,
  })
}
