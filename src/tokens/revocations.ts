/** Which grants ended while their access tokens may still be alive. */

/** Knows ended grants at once in this process and soon in every other. */
export interface Revocations {
  /** Whether the grant ended. Memory only: no request waits for the store. */
  isEnded(grantId: string): boolean
  /** Marks a grant as ended in this process, right after the commit that ended it. */
  add(grantId: string): void
  /** Resolves when the ended grants of the store are known; the gate answers 503 until then. */
  readonly ready: Promise<void>
  close(): void
}
