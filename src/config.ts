/** From options to the effective configuration: defaults filled in, every mistake a `TypeError`. */
import { createBackends, toResourceAliases } from './backends.ts'
import type { Backend, Config, Registration } from './context.ts'
import { tellsOfCallers } from './identity/caller-facts.ts'
import { verifyEndpoint } from './identity/provider-fetch.ts'
import { hostUpstream, localUpstream, sharedUpstream } from './identity/users.ts'
import { isDocumentClientId } from './oauth/document-client-id.ts'
import { resolveEndpointPaths } from './oauth/endpoint-paths.ts'
import { isLoopbackHost, parsePublicUrl } from './operate/config/public-url.ts'
import type { GatehouseOptions } from './options.ts'
import { verifyCallbacks } from './routes.ts'
import { verifyHierarchy, verifyPolicy, verifyScopes } from './scope-rules.ts'
import { toOwnClients } from './server/clients/configured.ts'

const day = 86_400

/** Browsers in which one user may be signed in (S6). */
const defaultSessions = 5

/**
 * The configuration that options stand for.
 *
 * @throws TypeError naming the option, what it is and what it must be
 */
export function createConfig(options: GatehouseOptions): Config {
  const issuer = parseIssuer(options.issuer)
  const paths = resolveEndpointPaths(options.paths)
  const backends = createBackends(options.backends, issuer, paths)
  const siteName = options.siteName ?? toSiteName(backends, issuer)
  const registration = toRegistration(options)
  const scopes = options.scopes ?? toScopes(registration, siteName)
  toOwnClients(options.clients, Object.keys(scopes))
  const defaultScopes = options.defaultScopes ?? Object.keys(scopes)
  verifyScopes(scopes, defaultScopes, registration)
  verifyHierarchy(options.scopeHierarchy, Object.keys(scopes))
  for (const backend of backends) verifyPolicy(backend, Object.keys(scopes))
  verifyNoSignIn(options, issuer)
  const { oauthEnabled = true } = options
  verifyWays(options, { backends, oauthEnabled, paths, registration })
  for (const backend of backends) verifyForwarding(backend, options)
  if (!oauthEnabled) verifyAnonymous(backends)
  return Object.freeze({
    issuer,
    paths,
    backends,
    resourceAliases: toResourceAliases(backends),
    scopes,
    defaultScopes,
    signingAlgorithm: options.signingAlgorithm ?? 'ES256',
    ...(options.scopeHierarchy && { scopeHierarchy: options.scopeHierarchy }),
    lifetimes: toLifetimes(options),
    refresh: toRefreshRules(options, backends),
    oauthEnabled,
    noSignIn: options.noSignIn ?? false,
    letAnyoneIn: options.letAnyoneIn ?? false,
    dynamicRegistration: options.dynamicRegistration ?? true,
    registration,
    ...toDocumentRule(options, registration),
    reuseRegistrations: options.reuseRegistrations ?? false,
    siteName,
    invitedOnly: options.invitedOnly ?? false,
    linkByVerifiedEmail: options.linkByVerifiedEmail ?? false,
    ...(options.contact !== undefined && { contact: options.contact }),
    ...toFollowing(options),
    sessionsPerUser: options.sessionsPerUser ?? defaultSessions,
    ...(options.developmentCookies && { developmentCookies: options.developmentCookies }),
    gateBodyLimitBytes: options.gateBodyLimitBytes ?? 4 * 1024 * 1024,
  })
}

function parseIssuer(issuer: string): string {
  const parsed = parsePublicUrl(issuer)
  if ('problem' in parsed) throw new TypeError(`issuer ${JSON.stringify(issuer)} ${parsed.problem}`)
  return parsed.origin
}

function toSiteName(backends: readonly Backend[], issuer: string): string {
  const [only, ...others] = backends
  return only && others.length === 0 && only.name !== only.id ? only.name : new URL(issuer).host
}

/** In verify mode the issuer's own scopes are the only ones, and it may have none. */
function toScopes(registration: Registration, siteName: string): Record<string, string> {
  if (registration.mode !== 'verify') return { mcp: `Use ${siteName} on your behalf` }
  return Object.fromEntries(registration.requiredScopes.map((name) => [name, name]))
}

/** Only what anyone can verify and nobody else can sign: `HS256` with a public key is a known forgery. */
const algorithmsKnown = /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$/
const algorithmsDefault = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ')

function toRegistration(options: GatehouseOptions): Registration {
  const { registration = { mode: 'dynamic' } } = options
  verifyModes(options, registration.mode)
  if (registration.mode === 'static') {
    const { mode, clientId } = registration
    if (/^[A-Za-z0-9._~-]{1,128}$/.test(clientId)) return { mode, clientId }
    throw new TypeError('registration.clientId must be the id of a client that you registered')
  }
  return registration.mode === 'verify' ? toVerification(options) : { mode: registration.mode }
}

function verifyModes(options: GatehouseOptions, mode: Registration['mode']): void {
  const { dynamicRegistration, localSignIn, noSignIn } = options
  if (dynamicRegistration === false && (mode === 'static' || mode === 'management')) {
    throw new TypeError(
      `dynamicRegistration: false switches registration off, which contradicts registration.mode ${mode}; leave one out`,
    )
  }
  if (mode === 'verify' && (localSignIn || noSignIn || options.upstreams?.length)) {
    throw new TypeError(
      'registration.mode verify leaves sign-in to the issuer of the tokens: leave out upstreams, localSignIn and noSignIn',
    )
  }
}

/** Metadata documents go with dynamic registration: both are how a stranger becomes a client. */
function toDocumentRule(
  { clientMetadataDocuments: wanted, dynamicRegistration = true }: GatehouseOptions,
  { mode }: Registration,
): Pick<Config, 'clientMetadataDocuments'> {
  if (wanted === false) return {}
  if (mode !== 'dynamic') {
    if (wanted === undefined) return {}
    throw new TypeError(
      `clientMetadataDocuments lets clients in that registration.mode ${mode} keeps out; leave one out`,
    )
  }
  if (wanted === undefined || wanted === true) {
    return wanted || dynamicRegistration ? { clientMetadataDocuments: {} } : {}
  }
  const refused = wanted.hosts.find((host) => !isDocumentClientId(`https://${host}/client`))
  if (refused === undefined && wanted.hosts.length > 0) {
    return { clientMetadataDocuments: { hosts: [...wanted.hosts] } }
  }
  throw new TypeError(
    `clientMetadataDocuments.hosts must be names such as claude.ai, not ${refused ?? 'empty'}`,
  )
}

function toVerification({ registration, backends }: GatehouseOptions): Registration {
  if (registration?.mode !== 'verify') throw new TypeError('registration.mode must be verify')
  const { mode, issuer, audience, algorithms = algorithmsDefault } = registration
  verifyEndpoint(issuer)
  const refused = algorithms.find((name) => !algorithmsKnown.test(name))
  if (refused !== undefined || algorithms.length === 0) {
    throw new TypeError(
      `registration.algorithms must be asymmetric ones such as RS256, not ${refused ?? 'none'}`,
    )
  }
  if (audience !== undefined && backends.length > 1) {
    throw new TypeError(
      'registration.audience is for one backend: with several, a token for one would open the others; let the issuer name the resource',
    )
  }
  const { requiredScopes = [] } = registration
  return { mode, issuer, algorithms, requiredScopes, ...(audience !== undefined && { audience }) }
}

/** How closely we follow the providers: by asking them again, and by the lifetime of their tokens. */
function toFollowing({ reverifySeconds, lifetimeFollowsUpstream = false }: GatehouseOptions) {
  if (reverifySeconds === undefined) return { lifetimeFollowsUpstream }
  if (Number.isInteger(reverifySeconds) && reverifySeconds >= 60)
    return { reverifySeconds, lifetimeFollowsUpstream }
  throw new TypeError('reverifySeconds must be a whole number of seconds, at least 60')
}

/** A provider's token goes to nobody in the clear, and never beside another credential. */
function verifyForwarding(
  { id, forward, to, program, headers }: Backend,
  { upstreams = [] }: GatehouseOptions,
): void {
  if (forward === undefined) return
  const what = program ? `env with ${forward}` : `forward ${forward}`
  const refuse = (problem: string) => new TypeError(`Backend ${id}: ${what} ${problem}`)
  if (to === undefined && program === undefined) throw refuse('needs a "to" to forward to')
  if (to && to.protocol !== 'https:' && !isLoopbackHost(to.hostname)) {
    throw refuse('needs https, or a backend on this machine: the token would be sent in the clear')
  }
  if (upstreams.length === 0) throw refuse('needs an identity provider whose token it could be')
  if (Object.hasOwn(headers, 'authorization')) {
    throw refuse('contradicts its authorization header; leave one out')
  }
}

/** Without OAuth there is no person whom a backend could be told about (A1). */
function verifyAnonymous(backends: readonly Backend[]): void {
  const told = backends.find(
    ({ identity, forward, program }) =>
      identity !== 'none' || forward || (program && tellsOfCallers(program.env)),
  )
  if (told === undefined) return
  const what = told.program ? 'every caller in its env' : 'its identity and forward'
  throw new TypeError(
    `Backend ${told.id}: with oauthEnabled false nobody signs in whom it could be told about; leave out ${what}`,
  )
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

/** Providers and what is asked of them: distinct, reachable, and there when a backend demands one. */
function verifyWays(
  options: GatehouseOptions,
  surface: Pick<Config, 'backends' | 'oauthEnabled' | 'paths' | 'registration'>,
): void {
  const { upstreams = [], localSignIn, noSignIn, sessionsPerUser = defaultSessions } = options
  const { issuer, developmentCookies } = options
  const ids = upstreams.map(({ id }) => id)
  const reserved = [localUpstream, sharedUpstream, hostUpstream]
  const twin = ids.find((id, index) => ids.indexOf(id) < index || reserved.includes(id))
  if (twin !== undefined) throw new TypeError(`Two ways to sign in have the id ${twin}`)
  verifyCallbacks(surface, upstreams)
  if (developmentCookies && !issuer.startsWith('http:')) {
    throw new TypeError('developmentCookies are for an http: issuer on localhost only')
  }
  if (!Number.isInteger(sessionsPerUser) || sessionsPerUser < 1) {
    throw new TypeError('sessionsPerUser must be a whole number, at least 1')
  }
  const ways = (localSignIn ?? (ids.length === 0 && !noSignIn)) ? [...ids, localUpstream] : ids
  for (const { id, signInWith } of surface.backends) {
    if (signInWith === undefined || ways.includes(signInWith)) continue
    throw new TypeError(`Backend ${id}: signInWith ${signInWith} is no way to sign in here`)
  }
}

/**
 * The lifetimes in force.
 *
 * @throws TypeError naming the one that cannot be
 */
export function toLifetimes({
  lifetimes = {},
}: Pick<GatehouseOptions, 'lifetimes'>): Config['lifetimes'] {
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
  const seesUse = backends.every(({ to, program }) => to !== undefined || program !== undefined)
  return Object.freeze({
    graceSeconds: 120,
    lostResponseSeconds: seesUse ? day : 300,
    onReuse: 'revoke' as const,
    ...refresh,
  })
}
