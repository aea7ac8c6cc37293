/**
 * `client/<client_id>`: a registered OAuth client (RFC 7591), or one whose id is the URL of a metadata document,
 * percent-encoded there, with what the document said when it was last read.
 *
 * A client that nobody ever authorized goes 30 days after it was last registered or updated, a day when it is
 * also an application at the identity provider, two days after its document was read; one that was authorized
 * once is never removed by time, because hosted clients register once and keep the id for ever.
 *
 * `client-twin/<SHA-256 of the metadata without loopback ports>` leads to the public client that registered
 * this, where registrations are reused; it lives as long as the client.
 */
import type { DocumentAuthMethod, DocumentKeys } from '../../oauth/client-document.ts'
import type { ClientMetadata } from '../../oauth/client-metadata.ts'
import { defineRecord } from './record.ts'

/** How long a client that was never authorized is kept, in seconds. */
export const unusedClientSeconds = 30 * 86_400
/** The same for one with an application at the identity provider, which has room for few. */
export const unusedManagedClientSeconds = 86_400
/** The same for one with a metadata document: a day longer than any document holds (CM-18). */
export const unusedDocumentClientSeconds = 2 * 86_400

/** What is kept of a metadata document besides the metadata. */
export interface ClientDocument {
  /** Unix seconds from which on a new authorization reads it again. */
  readonly freshUntil: number
  readonly authMethods: readonly DocumentAuthMethod[]
  /** Where its keys are, when it has some. */
  readonly keys?: DocumentKeys
}

/** A client that may ask for authorization. */
export interface Client {
  readonly id: string
  /** Who vouches for it: the owner (`preregistered`), nobody (`dynamic`) or a web site (`document`). */
  readonly origin: 'preregistered' | 'dynamic' | 'document'
  /** Of its metadata document; there if and only if that is its origin. */
  readonly document?: ClientDocument
  /** What it registered, after validation: the members that the registration answer echoes. */
  readonly metadata: ClientMetadata
  /** Keyed hash of the client secret; absent for public clients. */
  readonly secretHash?: string
  /** `optional` only for confidential clients that the owner pre-registered so (H5). */
  readonly pkce: 'required' | 'optional'
  /**
   * Keyed hash of its registration access token (RFC 7592). Absent: nobody manages it but the owner, as
   * with those they registered themselves and those that several parties share.
   */
  readonly registrationTokenHash?: string
  /** The id of the application at the identity provider that was made for it (`registration: management`). */
  readonly applicationId?: string
  /** Unix seconds. */
  readonly createdAt: number
  /** Unix seconds of the latest repetition or update of a registration that nobody authorized yet. */
  readonly renewedAt?: number
  /** Unix seconds of the first authorization ever; absent until then. */
  readonly authorizedAt?: number
}

/** How a client id stands in a key: a URL percent-encoded, whatever else as it is. */
export function toClientPart(id: string): string {
  return id.includes('/') ? encodeURIComponent(id) : id
}

/** The client id of such a part. */
export function parseClientPart(part: string): string {
  return part.includes('%') ? decodeURIComponent(part) : part
}

export const clients = defineRecord<Client>('client', toClientPart)
export const clientTwins = defineRecord<{ clientId: string }>('client-twin')
