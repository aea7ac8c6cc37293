/**
 * `client-keys/<SHA-256 of the jwks_uri>`: the public keys of a client with a metadata document, as they were
 * last read. They outlive their freshness, so that grants go on while that server is down (CM-17); those of a
 * client that nobody ever authorized go two days after they were read.
 */
import { defineRecord } from './record.ts'

/** A key set, and when it was read. */
export interface ClientKeys {
  readonly jwks: { readonly keys: readonly unknown[] }
  /** Unix seconds. */
  readonly readAt: number
  /** Unix seconds from which on the next assertion has it read again. */
  readonly freshUntil: number
}

/** How long the key set of a client that was authorized is kept after it was read, in seconds. */
export const clientKeysSeconds = 90 * 86_400

export const clientKeys = defineRecord<ClientKeys>('client-keys')
