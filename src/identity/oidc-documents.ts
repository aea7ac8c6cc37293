/**
 * The two documents of an OpenID provider, its metadata and its keys.
 *
 * They are fetched when a sign-in first needs them, so that a provider that is down stops neither the start
 * nor anything else, and kept: the last good one serves for as long as the provider cannot be asked.
 */
import type { createLocalJWKSet } from 'jose'
import { z } from 'zod'
import type { Clock } from '../platform/clock.ts'
import type { OidcProvider } from './oidc-options.ts'
import { nonsense } from './provider-errors.ts'
import { createProviderFetch, isEndpoint } from './provider-fetch.ts'

/** A document that is fetched when needed, by one caller for all. */
export interface KeptDocument<T> {
  /**
   * The document, at most as old as it may be unless the provider is down.
   *
   * @throws OAuthError when there is none: `temporarily_unavailable` or `server_error`
   */
  read(): Promise<T>
  /**
   * A newer one, because the one at hand lacks something; the same when this was asked a moment ago
   * (catalogue UP-21).
   *
   * @throws OAuthError when it cannot be fetched
   */
  renew(): Promise<T>
}

/** Metadata as the provider published it, with what we rely on checked. */
export type Metadata = z.infer<typeof metadataSchema>

/** Finds the key that signed a token, by its header. */
export type FindKey = ReturnType<typeof createLocalJWKSet>

/** What an OpenID provider publishes. */
export interface OidcDocuments {
  readonly metadata: KeptDocument<Metadata>
  readonly keys: KeptDocument<FindKey>
}

/** A provider with what it publishes. */
export interface OidcParty {
  readonly provider: OidcProvider
  readonly documents: OidcDocuments
}

const metadataFreshSeconds = 3600
/** Keys that a provider withdrew must go soon. */
const keysFreshSeconds = 600
/** How long a failure stands before the provider is asked again, so that an outage costs one request. */
const retrySeconds = 5
/** At most so often an unknown key makes us ask for newer ones. */
const renewalSeconds = 10
const limitBytes = 1024 * 1024

const endpoint = z.string().refine(isEndpoint, 'is no https: URL')

/** OpenID Connect Discovery §3, RFC 8414 §2. */
const metadataSchema = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  jwks_uri: endpoint,
  userinfo_endpoint: endpoint.optional(),
  revocation_endpoint: endpoint.optional(),
  scopes_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
})

const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

/** The documents of this provider. Nothing is fetched yet. */
export function createOidcDocuments(provider: OidcProvider): OidcDocuments {
  const { clock } = provider
  const metadata = createKeptDocument(clock, metadataFreshSeconds, () => loadMetadata(provider))
  const keys = createKeptDocument(clock, keysFreshSeconds, async () => {
    const { jwks_uri: address } = await metadata.read()
    const set = await loadDocument(provider, address, keysSchema)
    const jose = await import('jose')
    return jose.createLocalJWKSet(set)
  })
  return { metadata, keys }
}

/** A document that this loads. */
export function createKeptDocument<T>(
  clock: Clock,
  freshSeconds: number,
  load: () => Promise<T>,
): KeptDocument<T> {
  let kept: { readonly value: T; readonly at: number } | undefined
  let failure: { readonly error: unknown; readonly at: number } | undefined
  let loading: Promise<T> | undefined
  let renewedAt = Number.NEGATIVE_INFINITY

  const loadOnce = async (): Promise<T> => {
    try {
      const value = await load()
      kept = { value, at: clock.now() }
      failure = undefined
      return value
    } catch (error) {
      failure = { error, at: clock.now() }
      throw error
    } finally {
      loading = undefined
    }
  }
  const loadForAll = () => {
    loading ??= loadOnce()
    return loading
  }
  return {
    async read() {
      if (kept && clock.now() - kept.at < freshSeconds) return kept.value
      if (failure && clock.now() - failure.at < retrySeconds) {
        if (kept) return kept.value
        throw failure.error
      }
      return loadForAll().catch((error: unknown) => {
        if (kept) return kept.value
        throw error
      })
    },
    async renew() {
      if (kept && clock.now() - renewedAt < renewalSeconds) return kept.value
      renewedAt = clock.now()
      return loadForAll()
    },
  }
}

async function loadMetadata(provider: OidcProvider): Promise<Metadata> {
  const { issuer, sharedIssuer = issuer } = provider
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const metadata = await loadDocument(provider, address, metadataSchema)
  if (metadata.issuer === sharedIssuer) return metadata
  const said = JSON.stringify(metadata.issuer.slice(0, 200))
  throw unusable(
    provider,
    `${address} says that its issuer is ${said}, not "${sharedIssuer}"; configure it exactly as it says`,
  )
}

async function loadDocument<T>(
  provider: OidcProvider,
  address: string,
  schema: z.ZodType<T>,
): Promise<T> {
  const { label, fetch } = provider
  const request = createProviderFetch({
    label,
    fetch,
    deadline: provider.createDeadline(),
    limitBytes,
  })
  const response = await request(address, { headers: { accept: 'application/json' } })
  if (!response.ok) throw unusable(provider, `${address} answered ${response.status}`)
  const text = await response.text()
  const document = schema.safeParse(parseJson(text))
  if (document.success) return document.data
  const [issue] = document.error.issues
  const place = issue?.path.join('.')
  throw unusable(provider, `${address} is unusable: ${place ? `${place} ` : ''}${issue?.message}`)
}

/** The cause is for the log and for the check at the start; a person never reads it. */
function unusable({ label }: OidcProvider, problem: string) {
  return nonsense(label, 'upstream_document_unusable', new Error(problem))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
