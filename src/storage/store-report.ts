/** What a driver can tell of the place it stores in, without changing anything there. */

/** The state of a place that a store may be in. */
export interface StoreReport {
  /** The version of the schema or layout found there; undefined when there is no store yet. */
  readonly schema: number | undefined
  /** The version that this program makes. */
  readonly newestSchema: number
  /** Rows, expired ones that were not swept yet included. */
  readonly rows: number
  /** Bytes on disk; undefined where the driver cannot tell them for this store alone. */
  readonly sizeBytes: number | undefined
  /** The settings that decide what is still there after a crash, as the driver's own names and values. */
  readonly durability: Readonly<Record<string, string>>
  /** Unix seconds by the clock of its server; absent where there is none, or where it does not say. */
  readonly now?: number | undefined
}
