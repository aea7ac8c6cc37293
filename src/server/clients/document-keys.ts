/**
 * The public keys of clients with a metadata document: in the document, or at its `jwks_uri`, read like the
 * document itself and remembered in the store, so that grants go on while that server is down (CM-17).
 */
import type { JSONWebKeySet } from 'jose'
import { createLocalJWKSet, type LocalJWKSet } from 'jose/jwks/local'
import type { RequestContext } from '../../context.ts'
import { unavailable } from '../../errors.ts'
import { isPublicKeySet } from '../../oauth/client-metadata.ts'
import { sha256 } from '../../platform/crypto.ts'
import { toLimitProblem } from '../../platform/document-reader.ts'
import { toKeptSeconds } from '../../platform/freshness.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import { type Client, unusedDocumentClientSeconds } from '../../storage/records/client.ts'
import {
  type ClientKeys,
  clientKeys,
  clientKeysSeconds,
} from '../../storage/records/client-keys.ts'

/** For how long a key set holds. */
const keySetFreshness = { leastSeconds: 300, mostSeconds: 86_400, usualSeconds: 3600 }
/** A key id that is not in the set has it read again at most so often, in seconds. */
const missSeconds = 60

type KeySet = ClientKeys['jwks']

/**
 * The keys of a client that may hold the one that signed.
 *
 * @param keyId `kid` of the assertion
 * @returns undefined when the client has no keys
 * @throws OAuthError `temporarily_unavailable` when they cannot be read and none that fits is remembered
 */
export async function findClientKeys(
  client: Client,
  keyId: string | undefined,
  context: RequestContext,
): Promise<LocalJWKSet | undefined> {
  const keys = client.document?.keys
  if (keys === undefined) return undefined
  const set =
    'jwks' in keys
      ? keys.jwks
      : await readKeys(
          keys.jwksUri,
          { keyId, rememberedSeconds: toRememberedSeconds(client) },
          context,
        )
  // What is no key set is refused by the constructor.
  return createLocalJWKSet(set as JSONWebKeySet)
}

/** Strangers may have keys read for clients that they make up: those go as soon as the clients. */
function toRememberedSeconds({ authorizedAt }: Client): number {
  return authorizedAt === undefined ? unusedDocumentClientSeconds : clientKeysSeconds
}

async function readKeys(
  uri: string,
  { keyId, rememberedSeconds }: { keyId: string | undefined; rememberedSeconds: number },
  context: RequestContext,
): Promise<KeySet> {
  const { store, documents, clock, exchange } = context
  const id = sha256(uri)
  const known = (await clientKeys.find(store, id))?.value
  const has = known !== undefined && holds(known, keyId)
  const now = clock.now()
  if (known && (has ? now < known.freshUntil : now - known.readAt < missSeconds)) {
    return known.jwks
  }

  const reading = documents.read(uri, toPeerNetwork(exchange.peer))
  const outcome = await (has ? reading.catch(toLimitProblem) : reading)
  const jwks = 'problem' in outcome ? undefined : parseKeySet(outcome.text)
  if (jwks === undefined) {
    const problem = 'problem' in outcome ? outcome : { problem: 'no key set' }
    context.log.warn('The keys of a client cannot be read', { jwks_uri: uri, ...problem })
    if (has) return known.jwks
    throw unavailable('client_keys_unreadable')
  }
  const said = 'freshSeconds' in outcome ? outcome.freshSeconds : undefined
  const freshUntil = now + toKeptSeconds(said, keySetFreshness)
  const read = { jwks, readAt: now, freshUntil }
  await store.commit({ set: [clientKeys.write(clientKeys.key(id), read, now + rememberedSeconds)] })
  return jwks
}

function holds({ jwks }: ClientKeys, keyId: string | undefined): boolean {
  if (keyId === undefined) return true
  return jwks.keys.some(
    (key) => typeof key === 'object' && key !== null && 'kid' in key && key.kid === keyId,
  )
}

function parseKeySet(text: string): KeySet | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return isPublicKeySet(body) ? body : undefined
  } catch {
    return undefined
  }
}
