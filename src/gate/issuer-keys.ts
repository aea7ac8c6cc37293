/**
 * The public keys of somebody else's issuer: discovered, kept in memory, renewed in the background.
 *
 * An issuer that is away for a while stops nobody whose key is known; a key that it withdrew is forgotten
 * with the next reading. Faults are ours to wait for (503), never the token's fault (catalogue RS-11).
 */
import type { CryptoKey, FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters } from 'jose'
import { JWKSNoMatchingKey } from 'jose/errors'
import { createLocalJWKSet, type LocalJWKSet } from 'jose/jwks/local'
import { unavailable } from '../errors.ts'
import { createProviderFetch, verifyEndpoint } from '../identity/provider-fetch.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/ports.ts'

/** Finds the key that signed a token, for `jwtVerify`. */
export type FindKey = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

/** Where keys come from. */
export interface IssuerKeysOptions {
  /** As its metadata writes it, byte for byte. */
  readonly issuer: string
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly log: Log
}

/** Keys are read again in the background when they are older, in seconds. */
const renewSeconds = 600
/** Keys older than this open nothing, in seconds: the issuer could not be asked for a day. */
const trustSeconds = 86_400
/** A made-up key id makes us ask at most so often, in seconds. */
const missSeconds = 30
/** After a failure nobody asks again for so long, in seconds. */
const failureSeconds = 5
/** For everything that one reading asks, in milliseconds. */
const deadlineMilliseconds = 10_000

/** One reading of the keys. */
interface Reading {
  readonly set: LocalJWKSet
  readonly at: number
}

/** The keys of an issuer; nothing is asked before the first token comes. */
export function createIssuerKeys(options: IssuerKeysOptions): FindKey {
  const { clock } = options
  const reader = createReader(options)

  const findCurrent = async (): Promise<Reading> => {
    const known = reader.known()
    const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.at
    if (known === undefined || age >= trustSeconds) return reader.read()
    if (age >= renewSeconds) reader.read().catch(() => undefined)
    return known
  }
  return async (header, token) => {
    const { set, at } = await findCurrent()
    try {
      return await set(header, token)
    } catch (error) {
      if (!(error instanceof JWKSNoMatchingKey) || clock.now() - at < missSeconds) throw error
    }
    return (await reader.read()).set(header, token)
  }
}

/** Reads at most once at a time, and not again right after a failure. */
function createReader(options: IssuerKeysOptions) {
  const { clock, log, issuer } = options
  let known: Reading | undefined
  let running: Promise<Reading> | undefined
  let failedAt = Number.NEGATIVE_INFINITY

  const readOnce = async (): Promise<Reading> => {
    try {
      known = { set: await readKeys(options), at: clock.now() }
      return known
    } catch (error) {
      failedAt = clock.now()
      log.error('The keys of the issuer cannot be read', { issuer, error })
      throw unavailable('issuer_keys', error)
    } finally {
      running = undefined
    }
  }
  return {
    known: () => known,
    read(): Promise<Reading> {
      if (running) return running
      if (clock.now() - failedAt < failureSeconds) {
        return Promise.reject(unavailable('issuer_keys_failed'))
      }
      running = readOnce()
      return running
    },
  }
}

async function readKeys({ issuer, fetch }: IssuerKeysOptions): Promise<LocalJWKSet> {
  const deadline = AbortSignal.timeout(deadlineMilliseconds)
  const ask = createProviderFetch({ label: 'The issuer', fetch, deadline })
  const jwksUri = await discover(issuer, ask)
  const response = await ask(jwksUri, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`${jwksUri} answered ${response.status}`)
  // What is no key set is refused by the constructor.
  return createLocalJWKSet((await response.json()) as JSONWebKeySet)
}

/** `jwks_uri`, from the metadata of OpenID Connect Discovery §4 or RFC 8414 §3. */
async function discover(
  issuer: string,
  ask: (url: string, init?: RequestInit) => Promise<Response>,
): Promise<string> {
  for (const url of toMetadataUrls(issuer)) {
    const response = await ask(url, { headers: { accept: 'application/json' } })
    if (!response.ok) continue
    const document: unknown = await response.json()
    const members = new Map<string, unknown>(Object.entries(document ?? {}))
    const jwksUri = members.get('jwks_uri')
    if (members.get('issuer') !== issuer) {
      throw new Error(`${url} names the issuer ${JSON.stringify(members.get('issuer'))}`)
    }
    if (typeof jwksUri !== 'string') throw new Error(`${url} names no jwks_uri`)
    verifyEndpoint(jwksUri)
    return jwksUri
  }
  throw new Error(`${issuer} has no metadata`)
}

function toMetadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}
