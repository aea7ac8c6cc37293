/**
 * What a login brought home: every step from the registration to the revocation, for the findings to read.
 * Secrets are replaced by names, the same secret by the same name, so that one still sees which is which.
 */
import type { ClientProfile } from '../../profiles/profile.ts'
import type { Way } from '../client-requests.ts'
import type { Observation } from '../observation.ts'

/** Who logs in. */
export interface LoginClient {
  /** Id of its profile, or `doctor` for the doctor's own client. */
  readonly id: string
  readonly name: string
  /** The client that it stands for; absent for the doctor's own. */
  readonly profile?: ClientProfile
  /** What it registers with, redirect URIs left out; absent: it comes with an id. */
  readonly registration: Readonly<Record<string, unknown>>
  /** An id that was typed in; then nothing is registered. */
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  /** Host and path of the redirect URI; the port is the listener's. Default: `127.0.0.1`, `/callback`. */
  readonly redirect?: { readonly host: string; readonly path: string } | undefined
  /** Whether it sends `resource` (RFC 8707). */
  readonly sendsResource: boolean
}

/** Where a login goes, from what the walk saw. */
export interface LoginPlan {
  readonly client: LoginClient
  /** How the client that it stands for would come to a client id here. */
  readonly usual?: Way
  /** The MCP endpoint. */
  readonly url: string
  readonly resource: string
  readonly issuer: string
  /** Whether the metadata promises `iss` in the callback (RFC 9207). */
  readonly promisesIss: boolean
  readonly scope?: string | undefined
  readonly endpoints: {
    readonly authorization: string
    readonly token: string
    readonly registration?: string | undefined
    readonly revocation?: string | undefined
  }
  /** Ways to authenticate at the token endpoint that the metadata lists. */
  readonly authenticationMethods: readonly string[]
}

/** What came back to the redirect URI. */
export interface Callback {
  /** The whole address. */
  readonly url: string
  readonly hasCode: boolean
  readonly isStateOurs: boolean
  readonly iss?: string | undefined
  readonly error?: string | undefined
  readonly errorDescription?: string | undefined
}

/** What an access token says of itself, when it is a JWT; not verified, and without who the person is. */
export interface TokenClaims {
  readonly iss?: unknown
  readonly aud?: unknown
  readonly exp?: unknown
  readonly nbf?: unknown
  readonly iat?: unknown
  readonly scope?: unknown
  readonly typ?: unknown
}

/** The token at work: the first request of an MCP client, and its list of tools. */
export interface TokenUse {
  /** `initialize`, or `server/discover` where that is not known any more. */
  readonly opening: Observation
  readonly tools?: Observation | undefined
  /** Undefined when the answer could not be read. */
  readonly toolCount?: number | undefined
}

/** Two refreshes at once with one token, and what is left after them. */
export interface Refreshes {
  readonly pair: readonly [Observation, Observation]
  /** Whether both brought a refresh token, and the same; undefined when one of them failed. */
  readonly isSameSuccessor?: boolean | undefined
  /** Whether the answers that succeeded brought a refresh token. */
  readonly bringsSuccessor: boolean
  /** A further refresh, one after the other, with what a client has kept. */
  readonly followUp?: Observation | undefined
  /** The newest access token at work. */
  readonly use?: Observation | undefined
}

/** The end of the grant, and whether it was one. */
export interface Ending {
  readonly revocation: Observation
  readonly refresh?: Observation | undefined
  readonly use?: Observation | undefined
}

/** Everything. A step that is missing was not reached or not possible. */
export interface LoginVisit {
  readonly plan: LoginPlan
  /** How many were sent. */
  readonly requests: number
  readonly registration?: Observation
  readonly clientId?: string
  /** The address that the person was sent to. */
  readonly authorizationUrl?: string
  readonly callback?: Callback
  /** Why there was no callback. */
  readonly ended?: 'timed-out' | 'interrupted'
  readonly token?: Observation
  readonly claims?: TokenClaims | undefined
  /** Unix seconds by our clock when the token had come. */
  readonly tokenAt?: number
  readonly use?: TokenUse
  readonly refreshes?: Refreshes
  readonly ending?: Ending | undefined
  /** The removal of the registration (RFC 7592); absent when nothing was registered or it has no such address. */
  readonly removal?: Observation
}

/** One step with its name, for reports. */
export interface LoginStep {
  readonly name: string
  readonly observation: Observation
}

/** Every request of a login, in the order they were sent. */
export function listLoginSteps(visit: LoginVisit): LoginStep[] {
  const { registration, token, use, refreshes, ending, removal } = visit
  const steps: [string, Observation | undefined][] = [
    ['Registration', registration],
    ['Token', token],
    ['First MCP request', use?.opening],
    ['List of tools', use?.tools],
    ['Refresh', refreshes?.pair[0]],
    ['The same refresh at once', refreshes?.pair[1]],
    ['Refresh after both', refreshes?.followUp],
    ['Use after the refresh', refreshes?.use],
    ['Revocation', ending?.revocation],
    ['Refresh after the revocation', ending?.refresh],
    ['Use after the revocation', ending?.use],
    ['Removal of the registration', removal],
  ]
  return steps.flatMap(([name, observation]) => (observation ? [{ name, observation }] : []))
}
