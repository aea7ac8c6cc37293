/**
 * The storage contract: what every driver does, and the only thing the rest of Gatehouse knows of it.
 *
 * A store maps keys to JSON text. Its one writing operation, {@link Store.commit}, is atomic over all
 * its keys, so every single-use thing (a code, a consent ticket, a refresh rotation) is one
 * compare-and-commit and no rule depends on a driver. Drivers that cannot do that are refused.
 *
 * All drivers pass `test/storage/contract.ts`.
 */

/** A stored value and the version it has; the version changes with every write of the key. */
export interface Entry {
  readonly key: string
  /** JSON text, at most 256 KiB. */
  readonly value: string
  /** Opaque: equal if and only if nobody wrote the key in between, also across delete and re-create. */
  readonly version: number
}

/** An entry as a listing tells it. */
export interface ListedEntry extends Entry {
  /** Unix seconds from which on it is gone; undefined: kept for ever. */
  readonly expiresAt: number | undefined
}

/** One key to write. */
export interface Write {
  /** Printable ASCII, at most 512 characters. */
  readonly key: string
  /** JSON text, at most 256 KiB. */
  readonly value: string
  /** Unix seconds from which on the key is as if it had never been written. Absent: kept for ever. */
  readonly expiresAt?: number | undefined
}

/** One change: all of it happens, durably, or nothing does. No key is written twice in it. */
export interface Commit {
  /** Versions the keys must have now; `null`: the key must not exist (expired counts as absent). */
  readonly check?: readonly { readonly key: string; readonly version: number | null }[]
  readonly set?: readonly Write[]
  readonly delete?: readonly string[]
}

/** Where to go on in a listing, and how much of it. */
export interface ListOptions {
  /** Only keys strictly after this one (the last key of the page before). */
  readonly after?: string | undefined
  /** At most so many entries. Default 100. */
  readonly limit?: number | undefined
}

/**
 * A driver.
 *
 * Every operation throws `OAuthError('temporarily_unavailable')` when the store cannot be reached or
 * is too busy; after such a failed commit it is unknown whether it took effect, and callers must be
 * able to repeat themselves.
 */
export interface Store {
  /** The entries of these keys, in the same order, from one consistent read; `undefined` where there is none. */
  get(keys: readonly string[]): Promise<(Entry | undefined)[]>
  /**
   * Applies the change and makes it durable before it resolves.
   *
   * @returns false when a check failed: then nothing was changed
   */
  commit(change: Commit): Promise<boolean>
  /** Live entries whose key begins with the prefix, in byte order of their keys; how long they live, too. */
  list(prefix: string, options?: ListOptions): Promise<ListedEntry[]>
  /**
   * Hints that a key with this prefix was written or deleted, in this process or another one.
   * Only hints: they may come late, twice or not at all; whoever needs the truth reads it.
   * The listener gets the key where the driver knows it, otherwise the prefix itself.
   *
   * @returns a function that ends the subscription
   */
  subscribe(prefix: string, listener: (key: string) => void): () => void
  /**
   * Whether hints of other processes come as they should: within a second. False while their channel is
   * down; a driver that can looks for changes by itself meanwhile. For those who watch over the system.
   */
  isHearing(): boolean
  /** Deletes up to `limit` expired keys. Returns how many were deleted. */
  sweep(limit: number): Promise<number>
  /** Waits for work in flight, then lets go of files and connections. */
  close(): Promise<void>
}
