/**
 * The HTTP surface of Gatehouse: one row per endpoint, nothing is served that is not here.
 *
 * A row names where it is, what answers, how its errors are shown and whether browsers of other
 * origins may call it. CORS is on what clients running in a browser need, and never on a page.
 */
import type { Backend, Config, Endpoint } from './context.ts'
import { createGates } from './gate/gate.ts'
import { protectedResourceMetadata } from './gate/resource-metadata.ts'
import type { Upstream } from './identity/upstream.ts'
import { type EndpointPaths, isPlainPath } from './oauth/endpoint-paths.ts'
import { listResources, resourceMetadataPath } from './oauth/resource.ts'
import { authorize } from './server/endpoints/authorize.ts'
import { callback } from './server/endpoints/callback.ts'
import { deleteClient, readClient, updateClient } from './server/endpoints/client-configuration.ts'
import { decideConsent, showConsent } from './server/endpoints/consent.ts'
import { healthz, readyz } from './server/endpoints/health.ts'
import { home } from './server/endpoints/home.ts'
import { introspect } from './server/endpoints/introspect.ts'
import { jwks } from './server/endpoints/jwks.ts'
import { openidConfiguration, serverMetadata } from './server/endpoints/metadata.ts'
import { metrics } from './server/endpoints/metrics.ts'
import { health, providers } from './server/endpoints/provider-status.ts'
import { register } from './server/endpoints/register.ts'
import { revoke } from './server/endpoints/revoke.ts'
import { setup, showSetup } from './server/endpoints/setup.ts'
import { showSignIn, signIn } from './server/endpoints/sign-in.ts'
import { stats } from './server/endpoints/stats.ts'
import { token } from './server/endpoints/token.ts'
import { toCallbackPath } from './server/paths.ts'

/** How an endpoint's errors are shown; `error-shapes.ts` renders them. */
export type ErrorShape = 'json' | 'challenge' | 'page'

/** One endpoint. */
export interface Route {
  /** `*`: the endpoint decides about methods itself. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | '*'
  /** Exact path; `:name` stands for one segment. */
  readonly path: string
  readonly endpoint: Endpoint
  /**
   * `challenge`: a Bearer challenge or a JSON-RPC error. `page`: for people; JSON for callers that do not
   * accept `text/html`; a redirect once the client has proven where it may be answered.
   */
  readonly errors: ErrorShape
  /** Whether browsers of any origin may call it; it never reads cookies then. */
  readonly cors: boolean
}

type Row = readonly [Route['method'], string, Endpoint, ErrorShape, cors?: 'cors']

const server = '/.well-known/oauth-authorization-server'
const openid = '/.well-known/openid-configuration'

/** What is there in every mode, and where OAuth is off. */
const listOwnRows = (at: EndpointPaths): readonly Row[] => [
  ['GET', '/healthz', healthz, 'json'],
  ['GET', '/readyz', readyz, 'json'],
  ['GET', '/metrics', metrics, 'json'],
  ['GET', at.stats, stats, 'json'],
  ['GET', at.health, health, 'json'],
]

/** Our keys: assertions to backends are verified against them in verify mode too. */
const listKeyRows = (at: EndpointPaths): readonly Row[] => [['GET', at.jwks, jwks, 'json', 'cors']]

/** The authorization server; in verify mode that is somebody else (R8). */
const listServerRows = (at: EndpointPaths): readonly Row[] => [
  // discovery
  ['GET', server, serverMetadata, 'json', 'cors'],
  ['GET', openid, openidConfiguration, 'json', 'cors'],
  // clients
  ['POST', at.register, register, 'json', 'cors'],
  ['GET', `${at.register}/:client_id`, readClient, 'json', 'cors'],
  ['PUT', `${at.register}/:client_id`, updateClient, 'json', 'cors'],
  ['DELETE', `${at.register}/:client_id`, deleteClient, 'json', 'cors'],
  ['POST', at.token, token, 'json', 'cors'],
  ['POST', at.revoke, revoke, 'json', 'cors'],
  ['POST', at.introspect, introspect, 'json'],
  // people
  ['GET', at.providers, providers, 'json'],
  ['GET', '/', home, 'page'],
  ['GET', at.authorize, authorize, 'page'],
  ['POST', at.authorize, authorize, 'page'],
  ['GET', at.page, authorize, 'page'],
  ['POST', at.page, authorize, 'page'],
  ['GET', at.login, authorize, 'page'],
  ['POST', at.login, authorize, 'page'],
  ['GET', at.consent, showConsent, 'page'],
  ['POST', at.consent, decideConsent, 'page'],
  ['GET', at.signIn, showSignIn, 'page'],
  ['POST', at.signIn, signIn, 'page'],
  ['GET', `${at.callback}/:upstream`, callback, 'page'],
  ['GET', at.setup, showSetup, 'page'],
  ['POST', at.setup, setup, 'page'],
]

/** The gates of a backend. */
function toBackendRows(backend: Backend): readonly Row[] {
  const gates = backend.to || backend.program ? createGates(backend) : []
  // The gate answers preflights and sets CORS headers itself: they depend on the backend's answer.
  return gates.map(({ path, endpoint }): Row => ['*', path, endpoint, 'challenge'])
}

/** Where clients learn whom to ask for a token; at the root when there is one backend only. */
function listResourceRows(backends: readonly Backend[]): readonly Row[] {
  const [only, ...others] = backends
  const rows = backends.flatMap(listNames).map((backend) => ({ backend, path: backend.path }))
  const all = only && others.length === 0 ? [{ backend: only, path: '' }, ...rows] : rows
  return all.map(({ backend, path }) => [
    'GET',
    resourceMetadataPath(path),
    protectedResourceMetadata(backend),
    'json',
    'cors',
  ])
}

/** A backend under each of its names: clients compare the resource with the URL that they connect to. */
function listNames(backend: Backend): readonly Backend[] {
  return listResources(backend).map((named) => ({ ...backend, ...named }))
}

/** Our metadata, and registration, where clients look for them below the path of a backend (S2). */
function toServerRows({ path }: Backend): readonly Row[] {
  return [
    ['GET', server + path, serverMetadata, 'json', 'cors'],
    ['GET', path + server, serverMetadata, 'json', 'cors'],
    ['POST', `/.well-known/oauth-registration${path}`, register, 'json', 'cors'],
    ['GET', openid + path, openidConfiguration, 'json', 'cors'],
    ['GET', path + openid, openidConfiguration, 'json', 'cors'],
  ]
}

/** What the surface depends on. */
type Surface = Pick<Config, 'backends' | 'oauthEnabled' | 'paths' | 'registration'>

/** The callbacks that are registered at a provider under a path of their own. */
function toCallbackRows(upstreams: readonly Upstream[], at: EndpointPaths): readonly Row[] {
  const isDefault = (path: string) =>
    path.startsWith(`${at.callback}/`) && !path.slice(at.callback.length + 1).includes('/')
  const paths = upstreams.map((upstream) => toCallbackPath(upstream, at))
  return paths.filter((path) => !isDefault(path)).map((path) => ['GET', path, callback, 'page'])
}

/** The rows of an endpoint once more, under each of its aliases. */
function toAliasRows(rows: readonly Row[], { aliases, ...at }: EndpointPaths): readonly Row[] {
  return Object.entries(aliases).flatMap(([alias, name]) =>
    rows
      .filter(([, path]) => path === at[name])
      .map(([method, , ...rest]): Row => [method, alias, ...rest]),
  )
}

/**
 * Refuses callbacks that would take each other's place, or that of another endpoint.
 *
 * @throws TypeError naming the provider and the path
 */
export function verifyCallbacks(surface: Surface, upstreams: readonly Upstream[]): void {
  const taken = new Set(createRoutes(surface).map(({ path }) => path))
  for (const upstream of upstreams) {
    const path = toCallbackPath(upstream, surface.paths)
    const isReserved = ['/.well-known', surface.paths.register].some((parent) =>
      path.startsWith(`${parent}/`),
    )
    if (!isPlainPath(path) || isReserved || taken.has(path)) {
      throw new TypeError(
        `Upstream ${upstream.id}: callbackPath ${JSON.stringify(path)} must be a path of its own, such as /oauth2/callback`,
      )
    }
    taken.add(path)
  }
}

/** The whole surface for a configuration and the providers that people sign in with. */
export function createRoutes(
  { backends, oauthEnabled, paths, registration }: Surface,
  upstreams: readonly Upstream[] = [],
): readonly Route[] {
  const isServer = oauthEnabled && registration.mode !== 'verify'
  const ownRows = [
    ...(oauthEnabled ? listKeyRows(paths) : []),
    ...listOwnRows(paths),
    ...(isServer ? listServerRows(paths) : []),
  ]
  const rows = [
    ...ownRows,
    ...toAliasRows(ownRows, paths),
    ...(isServer ? toCallbackRows(upstreams, paths) : []),
    ...(isServer ? backends.flatMap(listNames).flatMap(toServerRows) : []),
    ...(oauthEnabled ? listResourceRows(backends) : []),
    ...backends.flatMap(toBackendRows),
  ]
  return rows.map(([method, path, endpoint, errors, cors]) => ({
    method,
    path,
    endpoint,
    errors,
    cors: cors === 'cors',
  }))
}

/** Whether a path is one of these routes', whatever the method. */
export function createPathTest(routes: readonly Route[]): (path: string) => boolean {
  const paths = routes.map(({ path }) => path)
  const exact = new Set(paths.filter((path) => !path.includes('/:')))
  const open = paths
    .filter((path) => path.includes('/:'))
    .map((path) => new RegExp(`^${path.replaceAll('.', '\\.').replace(/\/:[a-z_]+/g, '/[^/]+')}$`))
  return (path) => exact.has(path) || open.some((shape) => shape.test(path))
}
