/**
 * The HTTP surface of Gatehouse: one row per endpoint, nothing is served that is not here.
 *
 * A row names where it is, what answers, how its errors are shown and whether browsers of other
 * origins may call it. CORS is on what clients running in a browser need, and never on a page.
 */
import type { Backend, Config, Endpoint } from './context.ts'
import { gate } from './gate/gate.ts'
import { protectedResourceMetadata } from './gate/resource-metadata.ts'
import { resourceMetadataPath } from './oauth/resource.ts'
import { authorize } from './server/endpoints/authorize.ts'
import { callback } from './server/endpoints/callback.ts'
import { decideConsent, showConsent } from './server/endpoints/consent.ts'
import { healthz, readyz } from './server/endpoints/health.ts'
import { home } from './server/endpoints/home.ts'
import { introspect } from './server/endpoints/introspect.ts'
import { jwks } from './server/endpoints/jwks.ts'
import { openidConfiguration, serverMetadata } from './server/endpoints/metadata.ts'
import { metrics } from './server/endpoints/metrics.ts'
import { register } from './server/endpoints/register.ts'
import { revoke } from './server/endpoints/revoke.ts'
import { setup, showSetup } from './server/endpoints/setup.ts'
import { showSignIn, signIn } from './server/endpoints/sign-in.ts'
import { token } from './server/endpoints/token.ts'
import { endpointPaths as at } from './server/paths.ts'

/** How an endpoint's errors are shown; `error-shapes.ts` renders them. */
export type ErrorShape = 'json' | 'challenge' | 'page'

/** One endpoint. */
export interface Route {
  /** `*`: the endpoint decides about methods itself. */
  readonly method: 'GET' | 'POST' | '*'
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

const fixedRows: readonly Row[] = [
  // discovery
  ['GET', server, serverMetadata, 'json', 'cors'],
  ['GET', openid, openidConfiguration, 'json', 'cors'],
  ['GET', at.jwks, jwks, 'json', 'cors'],
  // clients
  ['POST', at.register, register, 'json', 'cors'],
  ['POST', at.token, token, 'json', 'cors'],
  ['POST', at.revoke, revoke, 'json', 'cors'],
  ['POST', at.introspect, introspect, 'json'],
  // people
  ['GET', '/', home, 'page'],
  ['GET', at.authorize, authorize, 'page'],
  ['POST', at.authorize, authorize, 'page'],
  ['GET', at.consent, showConsent, 'page'],
  ['POST', at.consent, decideConsent, 'page'],
  ['GET', at.signIn, showSignIn, 'page'],
  ['POST', at.signIn, signIn, 'page'],
  ['GET', `${at.callback}/:upstream`, callback, 'page'],
  ['GET', at.setup, showSetup, 'page'],
  ['POST', at.setup, setup, 'page'],
  // operations
  ['GET', '/healthz', healthz, 'json'],
  ['GET', '/readyz', readyz, 'json'],
  ['GET', '/metrics', metrics, 'json'],
]

/** What each backend adds: its metadata, our metadata where clients look below its path, and its gate. */
function toBackendRows(backend: Backend): readonly Row[] {
  const { path } = backend
  return [
    ['GET', resourceMetadataPath(path), protectedResourceMetadata(backend), 'json', 'cors'],
    ['GET', server + path, serverMetadata, 'json', 'cors'],
    ['GET', path + server, serverMetadata, 'json', 'cors'],
    ['GET', openid + path, openidConfiguration, 'json', 'cors'],
    ['GET', path + openid, openidConfiguration, 'json', 'cors'],
    // The gate answers preflights and sets CORS headers itself: they depend on the backend's answer.
    ...(backend.to ? [['*', path, gate(backend), 'challenge'] as const] : []),
  ]
}

/** The whole surface for a configuration. */
export function createRoutes({ backends }: Pick<Config, 'backends'>): readonly Route[] {
  const [only, ...others] = backends
  const rootMetadata: Row[] =
    only && others.length === 0
      ? [['GET', resourceMetadataPath(''), protectedResourceMetadata(only), 'json', 'cors']]
      : []
  return [...fixedRows, ...rootMetadata, ...backends.flatMap(toBackendRows)].map(
    ([method, path, endpoint, errors, cors]) => ({
      method,
      path,
      endpoint,
      errors,
      cors: cors === 'cors',
    }),
  )
}
