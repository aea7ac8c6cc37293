/**
 * `flow/<id>`: one authorization in progress in one browser, from /authorize to the redirect back.
 *
 * Gone ten minutes after it began, or when it is finished. Every step is one commit on this record.
 */
import { defineRecord } from './record.ts'

/**
 * Where the journey stands. `approve`: nobody is signed in, the person looks at client, host and
 * scopes. `sign-in`: approved, now says who they are. `confirm`: signed in, looks once more and is
 * told as whom. Finished and denied flows are deleted.
 */
export type FlowStep = 'approve' | 'sign-in' | 'confirm'

/** An authorization request that passed every check, and how far its person has come. */
export interface Flow {
  readonly id: string
  /** SHA-256 of the browser's binding cookie. */
  readonly browserHash: string
  readonly step: FlowStep
  readonly clientId: string
  /** The client's application at the identity provider, if it has one (`registration: management`). */
  readonly applicationId?: string
  readonly redirectUri: string
  readonly state?: string
  readonly codeChallenge?: string
  readonly resource: string
  /** Scopes asked for, after unknown ones were dropped. */
  readonly scope: string
  /** What the client's request said, for refreshes that repeat it. */
  readonly requestedScope: string
  /** Scopes the person left ticked when approving. */
  readonly approvedScope?: string
  /** Whether a session that was there before does not count: `prompt=login`, or "use another account". */
  readonly freshSignIn: boolean
  /** Signed-in user, once known; always the session's user at that time. */
  readonly userId?: string
  /** The upstream round trip, minted when the person approved. */
  readonly upstream?: UpstreamTrip
  /** Unix seconds. */
  readonly expiresAt: number
}

/** What must come back from the identity provider, and what proves that this browser left for it. */
export interface UpstreamTrip {
  readonly id: string
  /** SHA-256 of the `state` sent upstream. */
  readonly stateHash: string
  /** SHA-256 of the cookie set for this trip. */
  readonly cookieHash: string
  /** PKCE verifier and nonce, sealed. */
  readonly sealedSecrets: string
}

export const flows = defineRecord<Flow>('flow')
/** `upstream-state/<sha256 of state>` names the flow a callback belongs to. */
export const upstreamStates = defineRecord<{ flowId: string }>('upstream-state')
