/**
 * The contract of an identity provider that knows each of our clients as an application of its own
 * (`registration: management`). Each is public: PKCE, and no secret to keep. People sign in through the
 * application of the client that asks, so that the owner sees and can block each at the provider.
 *
 * An application is marked with the client it stands for and with our issuer, so that one that was left
 * behind can be recognised, and nobody else's is ever touched.
 */

/** An application of ours at the provider. */
export interface Application {
  /** Its id at the provider. */
  readonly id: string
  readonly name: string
  /** The client of ours that it stands for. */
  readonly clientId: string
  /** Unix seconds, as we marked it. */
  readonly createdAt: number
}

/** What an application is made from. */
export interface NewApplication {
  readonly clientId: string
  /** What the client calls itself, if anything. */
  readonly name: string | undefined
  /** Where the provider sends people back to: always one of ours. */
  readonly callback: string
  /** Our issuer. */
  readonly issuer: string
  /** Unix seconds. */
  readonly createdAt: number
}

/** Applications at a provider. Every fault of the provider is `temporarily_unavailable`. */
export interface Applications {
  /** What people call the provider. */
  readonly label: string
  /** The id of the upstream through which people sign in to these applications. */
  readonly upstreamId: string
  /** Makes one and returns its id. After a failure it is unknown whether it was made. */
  create(application: NewApplication): Promise<string>
  /** Removes one; one that is gone already counts as removed. */
  remove(id: string): Promise<void>
  /** Whether there is one with this id. */
  has(id: string): Promise<boolean>
  /** All that are marked with this issuer. */
  list(issuer: string): Promise<Application[]>
}
