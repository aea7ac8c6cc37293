/**
 * Gatehouse as one function of a request: builds the context, routes, and catches every error once.
 */
import { Hono } from 'hono'
import { verifyAddressee } from './addressee.ts'
import { addHeaders, createDocumentDesk } from './answers.ts'
import { createConfig } from './config.ts'
import { type Config, type Context, type RequestContext, toRequestContext } from './context.ts'
import { renderError, toOAuthError } from './error-shapes.ts'
import { OAuthError } from './errors.ts'
import { createCallerCheck, createGuard } from './gate/guard.ts'
import type { VerifierPorts } from './gate/upstream-verifier.ts'
import { createCustody } from './identity/custody.ts'
import { createSessions } from './identity/sessions.ts'
import { createUsers } from './identity/users.ts'
import { claimInstallation, createSetupLink } from './installation.ts'
import { toPreflightAnswer } from './oauth/cors.ts'
import { createAudit } from './operate/audit.ts'
import { readProgramEnvironment } from './operate/config/program-environment.ts'
import {
  startAuditNotes,
  startKeyKeeping,
  startReaping,
  startSweeping,
  startUpstreamRevocation,
} from './operate/jobs.ts'
import { createLimits } from './operate/limits.ts'
import { createLog } from './operate/log.ts'
import { createMetrics, exposePrograms, exposeStaleness } from './operate/metrics.ts'
import { createOperations } from './operations.ts'
import type { Gatehouse, GatehouseOptions } from './options.ts'
import { systemClock } from './platform/clock.ts'
import { createExchanges, type ExchangeFactory } from './platform/create-exchange.ts'
import { systemRandom } from './platform/crypto.ts'
import { createDocumentReader } from './platform/document-reader.ts'
import type { Answer } from './platform/exchange.ts'
import { createPinnedFetch } from './platform/pinned-fetch.ts'
import { createPrograms } from './platform/programs.ts'
import { createPathTest, createRoutes, type Route } from './routes.ts'
import { applyConfiguredClients, toOwnClients } from './server/clients/configured.ts'
import { reapApplications } from './server/clients/reaping.ts'
import { reportStaticClient } from './server/clients/static-registration.ts'
import { createRotationRules, toSharedSecrets } from './signing.ts'
import { createSealer } from './storage/sealed.ts'
import {
  type AccessTokens,
  type AccessTokensOptions,
  createAccessTokens,
} from './tokens/access-token.ts'
import { createKeyRing } from './tokens/keys.ts'
import { createRevocations } from './tokens/revocations.ts'
import { createSharedSecretKeys } from './tokens/shared-secret.ts'

/**
 * Builds a Gatehouse over a store.
 *
 * @throws TypeError for wrong options; Error when the store belongs to another issuer or master key
 */
export async function createGatehouse(options: GatehouseOptions): Promise<Gatehouse> {
  const rules = createRotationRules(options)
  const context = await createContext(options)
  await prepareStore(context, options).catch((error: unknown) => {
    context.revocations.close()
    context.custody.close()
    throw error
  })
  const exchanges = createExchanges(context)
  exposeStaleness(context)
  exposePrograms(context)
  const jobs = [
    startSweeping(context),
    startKeyKeeping({ ...context, rules }),
    startUpstreamRevocation(context),
    startAuditNotes(context),
    startReaping(context, (isStopped) => reapApplications(context, isStopped)),
  ]
  const routes = createRoutes(context.config, [...context.upstreams.values()])
  const app = createApp(routes, context, exchanges)
  const findDocument = createDocumentDesk(routes, context, exchanges)
  const findCaller = createCallerCheck()
  return {
    fetch: async (request, env) => findDocument(request, env) ?? app.fetch(request, env ?? {}),
    serves: createPathTest(routes),
    guard: createGuard(context, exchanges, findCaller),
    operations: createOperations(context, findCaller),
    context,
    createSetupLink: () => createSetupLink(context),
    close: async () => {
      await Promise.all(jobs.map((job) => job.stop()))
      context.revocations.close()
      context.custody.close()
      await Promise.all([exchanges.close(), context.programs.close()])
    },
  }
}

async function prepareStore(context: Context, options: GatehouseOptions): Promise<void> {
  await claimInstallation(context, options)
  await applyConfiguredClients(toOwnClients(options.clients), context)
  await reportStaticClient(context)
  if (!context.config.oauthEnabled) reportOpenDoor(context)
}

/** Whoever switched OAuth off by mistake finds out at the start (A1). */
function reportOpenDoor({ config, log }: Context): void {
  for (const { resource } of config.backends) {
    log.warn(`OAUTH IS OFF: everyone who reaches ${resource} uses the MCP server behind it`)
  }
}

async function createContext(options: GatehouseOptions): Promise<Context> {
  const config = createConfig(options)
  const {
    store,
    masterKey,
    previousMasterKey,
    clock = systemClock,
    random = systemRandom,
    fetchDocument = createPinnedFetch(),
    limits = createLimits(),
  } = options
  const log = options.log ?? createLog({ level: 'info', format: 'json' })
  const sealer = await createSealer({ store, masterKey, previousMasterKey, clock, random })
  const secrets = toSharedSecrets(options)
  const { algorithm } = createRotationRules(options)
  const keys = await createKeyRing({ store, sealer, clock, algorithm, log })
  const { lifetimes, sessionsPerUser: maxPerUser } = config
  const { accessTokenSeconds, sessionSeconds } = lifetimes
  const users = createUsers({ store, sealer, clock, random, accessTokenSeconds })
  const given = config.oauthEnabled ? (options.upstreams ?? []) : []
  const upstreams = new Map(given.map((upstream) => [upstream.id, upstream]))
  const localSignIn =
    config.oauthEnabled && (options.localSignIn ?? hasNoOtherSignIn(config, upstreams.size))
  const audit = options.audit ?? createAudit()
  const revocations = createRevocations({ store, log })
  const keeping = { store, sealer, clock, random, log, audit, revocations, accessTokenSeconds }
  return Object.freeze({
    config,
    store,
    sealer,
    keys,
    accessTokens: await createVerifier(config, {
      keys: secrets ? createSharedSecretKeys(secrets) : keys,
      clock,
      random,
      fetch: options.fetch ?? fetch,
      log,
    }),
    revocations,
    users,
    sessions: createSessions({ store, users, clock, random, sessionSeconds, maxPerUser }),
    custody: createCustody({ ...keeping, rules: config, upstreams, localSignIn }),
    upstreams,
    applications:
      options.registration?.mode === 'management' ? options.registration.applications : undefined,
    localSignIn,
    clock,
    random,
    isReady: options.isReady ?? (async () => true),
    fetch: options.fetch ?? fetch,
    documents: createDocumentReader({ fetchDocument, limits, clock }),
    programs: createPrograms(readProgramEnvironment()),
    log,
    audit,
    limits,
    metrics: options.metrics ?? createMetrics(),
  })
}

/** Our own access tokens, or those of the issuer that we only guard for (R8). */
async function createVerifier(
  config: Config,
  ports: Omit<VerifierPorts & AccessTokensOptions, 'issuer'>,
): Promise<AccessTokens> {
  const { registration } = config
  if (registration.mode !== 'verify') return createAccessTokens({ issuer: config.issuer, ...ports })
  // Brings libraries that nothing else needs.
  const { createUpstreamVerifier } = await import('./gate/upstream-verifier.ts')
  const { backends, scopeHierarchy } = config
  return createUpstreamVerifier({ ...ports, ...registration, backends, scopeHierarchy })
}

function hasNoOtherSignIn({ noSignIn, registration }: Config, upstreams: number): boolean {
  return upstreams === 0 && !noSignIn && registration.mode !== 'verify'
}

/** The rows of `routes.ts` as a Hono application. A known path with another method is 405. */
function createApp(routes: readonly Route[], context: Context, exchanges: ExchangeFactory): Hono {
  const app = new Hono({ strict: true })
  const serve =
    (chooseRoute: (method: string) => Route) => (c: { req: { raw: Request }; env: unknown }) => {
      const { raw } = c.req
      const exchange = exchanges.create(raw, c.env)
      return answer(chooseRoute(raw.method), raw, toRequestContext(context, exchange))
    }
  // One handler for each path: Hono walks through several of them at four times the cost.
  for (const [path, here] of Map.groupBy(routes, (route) => route.path))
    app.all(path, serve(createMethodChoice(here)))
  app.notFound(serve(() => nothingHere))
  return app
}

/** The row for a method, of the rows of one path. */
function createMethodChoice(here: readonly Route[]): (method: string) => Route {
  const guard = toMethodGuard(here)
  const rows = new Map<string, Route>(here.map((route) => [route.method, route]))
  const others = rows.get('*') ?? guard
  return (method) => rows.get(method === 'HEAD' ? 'GET' : method) ?? others
}

/** The one place where requests are timed, errors are caught and logged, and CORS headers are added. */
async function answer(route: Route, request: Request, context: RequestContext): Promise<Response> {
  const started = performance.now()
  let outcome: Answer | Response
  try {
    verifyAddressee(request, route, context)
    outcome = await route.endpoint(request, context)
  } catch (thrown) {
    const error = toOAuthError(thrown)
    reportError(error, route, context)
    outcome = renderError(error, route.errors, request, context)
  }
  context.metrics.time(route.path, outcome.status, (performance.now() - started) / 1000)
  if (outcome instanceof Response) return outcome
  return context.exchange.respond(addHeaders(outcome, route, context))
}

function reportError(error: OAuthError, route: Route, context: RequestContext): void {
  const { log, metrics, audit, exchange } = context
  const fields = {
    path: route.path,
    code: error.code,
    reason: error.reason,
    status: error.status,
    request_id: exchange.requestId,
  }
  metrics.count(error.status >= 500 ? 'errors' : 'refusals', { code: error.code })
  if (error.status === 429) {
    const { reason } = error
    audit({ event: 'limit.reached', outcome: 'refused', reason, details: { path: route.path } })
  }
  if (error.status < 500) log.info('Request refused', fields)
  else log.error('Request failed', { ...fields, error: error.cause ?? error })
}

/** Answers requests to a known path whose method is not among its rows. */
function toMethodGuard(here: readonly Route[]): Route {
  const [first = nothingHere] = here
  const served = here.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const methods = [...new Set([...served, ...(first.cors ? ['OPTIONS'] : [])])]
  return {
    ...first,
    method: '*',
    endpoint: async (request) => {
      if (request.method === 'OPTIONS' && first.cors) return toPreflightAnswer(request, { methods })
      throw new OAuthError('invalid_request', `Method ${request.method} is not answered here`, {
        status: 405,
        reason: 'method_not_allowed',
        headers: { allow: methods.join(', ') },
      })
    },
  }
}

const nothingHere: Route = {
  method: '*',
  path: '*',
  errors: 'page',
  cors: false,
  endpoint: async () => {
    throw new OAuthError('invalid_request', 'There is nothing at this address', {
      status: 404,
      reason: 'not_found',
    })
  },
}
