/**
 * The port for sealing what is secret at rest. Implemented over any store in `sealed.ts`.
 *
 * Only what is secret is sealed, not whole rows; and personal data never stands in a key:
 * {@link Sealer.index} gives the key to look it up by.
 */
export interface Sealer {
  /**
   * Encrypts and authenticates. Opening needs the same purpose and row, so a sealed value cannot be
   * moved to another place (catalogue SG-11, CD-16).
   */
  seal(purpose: string, row: string, plaintext: string): string
  /**
   * The plaintext; throws `OAuthError('server_error')` with reason `unsealable` when it was altered or
   * moved, `temporarily_unavailable` when it was sealed with a key that another process has just made.
   */
  open(purpose: string, row: string, sealed: string): string
  /** A keyed hash (HMAC-SHA-256, base64url) of a value: stable for the lifetime of the store. */
  index(purpose: string, value: string): string
  /** Learns which keys other processes made or removed. A job calls it; requests never wait for it. */
  reread(): Promise<void>
}
