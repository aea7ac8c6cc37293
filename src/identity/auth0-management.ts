/**
 * Applications at Auth0, through its Management API v2 (`/api/v2/clients`).
 *
 * The machine-to-machine application that calls it needs the permissions `create:clients`, `read:clients`
 * and `delete:clients`. Each application made here is public (PKCE, no secret to keep), calls back to us
 * alone and carries our mark in its metadata; what lacks the mark is never touched.
 */
import { OAuthError, unavailable } from '../errors.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import type { Application, Applications, NewApplication } from './applications.ts'
import { createProviderFetch, type ProviderFetch, verifyEndpoint } from './provider-fetch.ts'

/** What reaching the API takes. */
export interface Auth0ManagementOptions {
  /** The tenant's own domain, such as `example.eu.auth0.com`; not a custom domain. */
  readonly domain: string
  /** Id and secret of the machine-to-machine application. */
  readonly clientId: string
  readonly clientSecret: string
  /** The upstream through which people sign in. Default `auth0`. */
  readonly upstreamId?: string
  readonly fetch?: typeof fetch
  readonly clock?: Clock
}

/** For one registration with all its requests, in milliseconds. */
const deadlineMilliseconds = 10_000
/** A token is not used in its last seconds. */
const tokenMarginSeconds = 60
/** Largest page of `GET /api/v2/clients`, small enough for the bound on an answer. */
const pageSize = 50
/** Longest wait we pass on to a client, in seconds. */
const longestWaitSeconds = 60
/** Most applications of a tenant we look through: far beyond its largest plan. */
const pagesAllowed = 2000

const rateLimited = 'auth0_rate_limit'

/** Auth0's name for us, when a client has none, and the longest it gets. */
const namelessClient = 'MCP client'
const nameLengthAllowed = 80

/** Calls one path of the API with a token. */
type Call = (path: string, init?: RequestInit) => Promise<Response>

/**
 * Applications at an Auth0 tenant.
 *
 * @throws TypeError when the domain is none
 */
export function auth0Management(options: Auth0ManagementOptions): Applications {
  const origin = toOrigin(options.domain)
  const call = createCall(origin, options)
  return {
    label: 'Auth0',
    upstreamId: options.upstreamId ?? 'auth0',
    create: async (application) => {
      const response = await call('/clients', toPost(toBody(application)))
      const { client_id: id } = await readObject(expectStatus(response, 201))
      if (typeof id === 'string' && id !== '') return id
      throw unavailable('auth0_malformed')
    },
    remove: async (id) => {
      const response = await call(toClientPath(id), { method: 'DELETE' })
      if (response.status !== 404) expectStatus(response, 204)
    },
    has: async (id) => {
      const response = await call(`${toClientPath(id)}?fields=client_id&include_fields=true`)
      if (response.status === 404) return false
      expectStatus(response, 200)
      return true
    },
    list: (issuer) => listApplications(issuer, call),
  }
}

/** Tenant domains are written bare; a URL is for emulators on loopback. */
function toOrigin(domain: string): string {
  const text = domain.includes('://') ? domain : `https://${domain}`
  verifyEndpoint(text)
  return new URL(text).origin
}

/** Every call has a token; one that Auth0 no longer takes is asked for anew, once. */
function createCall(origin: string, options: Auth0ManagementOptions): Call {
  const clock = options.clock ?? systemClock
  const tokens = createTokens(origin, options, clock)
  return async (path, init) => {
    const deadline = AbortSignal.timeout(deadlineMilliseconds)
    const bounds = {
      label: 'Auth0',
      fetch: refuseRateLimit(options.fetch ?? fetch, clock),
      deadline,
    }
    const ask = createProviderFetch(bounds)
    const send = async (): Promise<Response> =>
      ask(`${origin}/api/v2${path}`, {
        ...init,
        headers: { ...toHeaders(init), authorization: `Bearer ${await tokens.find(ask)}` },
      })
    try {
      const response = await send()
      if (response.status !== 401) return response
      tokens.forget()
      return await send()
    } catch (error) {
      throw toFault(error)
    }
  }
}

function toHeaders(init: RequestInit | undefined): Record<string, string> {
  return { accept: 'application/json', ...(init?.body && { 'content-type': 'application/json' }) }
}

/** A fetch that turns 429 into our own wait, as long as Auth0 asks for (`x-ratelimit-reset`, unix seconds). */
function refuseRateLimit(inner: typeof fetch, clock: Clock): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init)
    if (response.status !== 429) return response
    await response.body?.cancel().catch(() => undefined)
    const reset = Number(response.headers.get('x-ratelimit-reset') ?? Number.NaN)
    const wait = Number.isFinite(reset) ? reset - clock.now() : 2
    throw new OAuthError(
      'temporarily_unavailable',
      'The identity provider takes no more registrations right now; try again',
      {
        reason: rateLimited,
        retryAfterSeconds: Math.min(Math.max(Math.ceil(wait), 1), longestWaitSeconds),
      },
    )
  }
}

/** Whatever goes wrong there passes or is for the owner to mend: 503, and as long as Auth0 said. */
function toFault(error: unknown): OAuthError {
  if (!(error instanceof OAuthError)) return unavailable('auth0_unusable', error)
  // The bounded fetch hands on what its inner one throws as the cause.
  const { cause, code, reason = 'auth0_unusable' } = error
  if (cause instanceof OAuthError && cause.reason === rateLimited) return cause
  return code === 'temporarily_unavailable' ? error : unavailable(reason, error)
}

/** The access token for the API (client credentials), kept until shortly before it expires. */
function createTokens(origin: string, options: Auth0ManagementOptions, clock: Clock) {
  let known: { token: string; until: number } | undefined
  let asking: Promise<string> | undefined
  const askFor = async (ask: ProviderFetch): Promise<string> => {
    const response = await ask(
      `${origin}/oauth/token`,
      toPost({
        grant_type: 'client_credentials',
        client_id: options.clientId,
        client_secret: options.clientSecret,
        audience: `${origin}/api/v2/`,
      }),
    )
    const answer = await readObject(expectStatus(response, 200))
    const { access_token: token, expires_in: seconds } = answer
    if (typeof token !== 'string' || typeof seconds !== 'number') {
      throw unavailable('auth0_malformed')
    }
    known = { token, until: clock.now() + seconds - tokenMarginSeconds }
    return token
  }
  return {
    find(ask: ProviderFetch): Promise<string> {
      if (known && clock.now() < known.until) return Promise.resolve(known.token)
      asking ??= askFor(ask).finally(() => {
        asking = undefined
      })
      return asking
    },
    forget(): void {
      known = undefined
    },
  }
}

/** Page by page, only what carries the mark of this issuer. */
async function listApplications(issuer: string, call: Call): Promise<Application[]> {
  const found: Application[] = []
  for (let page = 0; page < pagesAllowed; page += 1) {
    const query = `fields=client_id,name,client_metadata&include_fields=true&is_global=false`
    const response = await call(`/clients?${query}&page=${page}&per_page=${pageSize}`)
    const listed = await readJson(expectStatus(response, 200))
    if (!Array.isArray(listed)) throw unavailable('auth0_malformed')
    found.push(...listed.flatMap((one: unknown) => parseApplication(one, issuer) ?? []))
    if (listed.length < pageSize) return found
  }
  throw unavailable('auth0_too_many')
}

function parseApplication(value: unknown, issuer: string): Application | undefined {
  const members = toMembers(value)
  const mark = toMembers(members.client_metadata)
  const { gatehouse_client_id: clientId, gatehouse_created_at: at } = mark
  if (mark.gatehouse_issuer !== issuer || typeof clientId !== 'string') return undefined
  const { client_id: id, name } = members
  if (typeof id !== 'string') return undefined
  return { id, name: typeof name === 'string' ? name : '', clientId, createdAt: Number(at) || 0 }
}

/** Metadata of an application are texts of at most 255 characters. */
function toBody({ clientId, name, callback, issuer, createdAt }: NewApplication) {
  return {
    name: toName(name),
    description: `Made by Gatehouse at ${issuer}`.slice(0, 140),
    app_type: 'native',
    token_endpoint_auth_method: 'none',
    callbacks: [callback],
    grant_types: ['authorization_code', 'refresh_token'],
    oidc_conformant: true,
    client_metadata: {
      gatehouse_issuer: issuer,
      gatehouse_client_id: clientId,
      gatehouse_created_at: String(createdAt),
    },
  }
}

/** Auth0 refuses `<` and `>` in names. */
function toName(name: string | undefined): string {
  const plain = (name ?? '').replace(/[<>]/g, '').trim().slice(0, nameLengthAllowed)
  return plain === '' ? namelessClient : plain
}

function toClientPath(id: string): string {
  return `/clients/${encodeURIComponent(id)}`
}

function toPost(body: unknown): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

/** Whatever else Auth0 answers is a mistake in its settings or ours: the owner's to mend, the client's to wait. */
function expectStatus(response: Response, status: number): Response {
  if (response.status === status) return response
  throw unavailable(`auth0_status_${response.status}`)
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  return toMembers(await readJson(response))
}

/** The document, or undefined when it is none. */
function readJson(response: Response): Promise<unknown> {
  return response.json().catch(() => undefined)
}

function toMembers(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
