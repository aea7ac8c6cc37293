/**
 * What must hold, kept beside the server: everything its clients were told, and from it what it may
 * answer next (design §1).
 *
 * A refusal is right only if something that was done explains it; an acceptance only if nothing that
 * was acknowledged forbids it. Where the outcome of a request is unknown, either is right.
 */
import type { Registered } from '../helpers/oauth-client.ts'
import type { Settings } from './settings.ts'
import type { Process } from './world.ts'

/** A rule was broken. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.rule = rule
  }
}

/** Seconds, as the server's defaults have them. */
export const lifetimes = {
  code: 60,
  access: 3600,
  idle: 30 * 86_400,
  absolute: 365 * 86_400,
  unusedClient: 30 * 86_400,
  codeMemory: 3600,
  flow: 600,
  session: 86_400,
  grace: 120,
  lostResponse: 86_400,
  impatience: 2,
}

/** A person with a browser, who may be removed and come back as somebody new. */
export interface Person {
  readonly name: string
  readonly cookies: Map<string, string>
  /** When they last came back from the identity provider. */
  signedInAt: number
  /** Whether anybody ever asked to remove them. */
  wasRemoved: boolean
}

/** A registered client. */
export interface App {
  readonly name: string
  readonly registered: Registered
  /** When the newest registration that led to it was acknowledged. */
  registeredAt: number
  /** Whether a code was issued for it: from then on it stays for ever. */
  isAuthorized: boolean
  /** Whether it went, as it may, before anyone authorized it. */
  isGone: boolean
}

/** One presentation of a code. */
export interface Attempt {
  readonly startedAt: number
  answeredAt?: number
  /** Whether it can have redeemed the code. */
  mayHaveWritten: boolean
}

/** An authorization code. */
export interface Code {
  readonly name: string
  readonly value: string
  readonly app: App
  readonly person: Person
  readonly issuedAt: number
  /** With the right client and verifier, in the order in which they began. */
  readonly attempts: Attempt[]
  /** Presentations with a wrong verifier. */
  guesses: number
  grant?: Grant
}

/** A refresh token that a client was given. */
export interface Token {
  readonly name: string
  readonly value: string
  readonly grant: Grant
  /** Between these moments it was made. */
  readonly bornAfter: number
  readonly bornBefore: number
  firstPresentedAt?: number
  successor?: Token
}

/** An access token that a client was given. */
export interface Access {
  readonly name: string
  readonly value: string
  readonly grant: Grant
  readonly issuedAt: number
  readonly expiresAt: number
  revocation?: 'asked' | 'acknowledged'
}

/** What one person allowed one client. */
export interface Grant {
  readonly name: string
  readonly code: Code
  readonly userId: string
  readonly bornAfter: number
  readonly bornBefore: number
  readonly tokens: Token[]
  readonly accesses: Access[]
  /** What the honest client holds; set as soon as there is one. */
  held?: Token
  /** Whether the honest client is busy with it: it does one thing at a time. */
  isBusy: boolean
  /** Whether somebody else ever used one of its tokens. */
  isStolen: boolean
  /** The `iat` of the newest access token that was shown to a gate or introspected. */
  newestUse: number
  /** Something that ends it was asked for; whether it happened is unknown. */
  endAsked?: string
  /** Something that ends it was acknowledged: it is over for ever. */
  endAcknowledged?: string
  /** Its tokens that are presented right now: the server may take one of them for stolen. */
  readonly presented: Token[]
  /** The processes that acknowledged it: their gates refuse at once. */
  readonly endedAt: Set<Process>
}

/** Everything that clients know. */
export interface Model {
  readonly apps: App[]
  readonly people: Person[]
  readonly codes: Code[]
  readonly grants: Grant[]
  readonly tokens: Map<string, Token>
  /** Users whose removal was asked for, or is known to have happened. */
  readonly removals: Map<string, 'asked' | 'acknowledged'>
}

export function createModel(): Model {
  const people = ['ada', 'bob', 'cyd'].map((name) => ({
    name,
    cookies: new Map<string, string>(),
    signedInAt: 0,
    wasRemoved: false,
  }))
  return { apps: [], people, codes: [], grants: [], tokens: new Map(), removals: new Map() }
}

/** The true time and how far the clocks that judged may have been off, in seconds. */
export interface Moment {
  readonly now: number
  readonly margin: number
}

/** Why a grant may be over; undefined when nothing explains it. */
export function explainEnd(grant: Grant, moment: Moment): string | undefined {
  const { now, margin } = moment
  if (grant.endAcknowledged !== undefined) return grant.endAcknowledged
  if (grant.endAsked !== undefined) return grant.endAsked
  if (grant.isStolen) return 'a thief was there'
  if (now + margin >= grant.bornAfter + lifetimes.absolute) return 'absolute expiry'
  const [late] = grant.presented.flatMap((token) => explainAge(token, moment) ?? [])
  if (late !== undefined) return late
  const { attempts } = grant.code
  const first = attempts[0]?.startedAt ?? now
  const wasLate = ({ answeredAt = now }: Attempt): boolean =>
    answeredAt - first + margin > lifetimes.impatience
  return attempts.length > 1 && attempts.some(wasLate) ? 'its code was replayed' : undefined
}

/** Why a refresh token may be refused to whoever holds the newest one. */
export function explainRefusal(token: Token, moment: Moment): string | undefined {
  return explainEnd(token.grant, moment) ?? explainAge(token, moment)
}

/** Whether a token waited too long, for its use or for its answer. */
function explainAge(token: Token, { now, margin }: Moment): string | undefined {
  const { grant, firstPresentedAt } = token
  if (now + margin >= token.bornAfter + lifetimes.idle) return 'idle expiry'
  if (firstPresentedAt === undefined) return undefined
  const age = now - firstPresentedAt + margin
  if (age > lifetimes.lostResponse) return 'the answer was lost for too long'
  // An access token of the very second of the rotation cannot be told from its successor's.
  const wasUsed = grant.newestUse + margin >= firstPresentedAt
  return age > lifetimes.grace && wasUsed ? 'the answer was lost and its grant was used' : undefined
}

/** What forbids that a refresh token is accepted; judged when the request begins. */
export function findBan(token: Token, { now, margin }: Moment): string | undefined {
  const { grant, successor } = token
  if (grant.endAcknowledged !== undefined) return `its grant ended: ${grant.endAcknowledged}`
  if (successor?.successor) return 'its successor was replaced'
  if (now > token.bornBefore + lifetimes.idle + lifetimes.lostResponse + margin) return 'it expired'
  if (now > grant.bornBefore + lifetimes.absolute + margin) return 'its grant expired'
  if (successor && now > successor.bornBefore + lifetimes.lostResponse + margin) {
    return 'it was replaced too long ago'
  }
  return undefined
}

/** Whether the server must take a token for stolen and end its grant. */
export function mustEndGrant(token: Token, { onReuse }: Settings): boolean {
  return onReuse === 'revoke' && token.successor?.successor !== undefined
}

/** Why a code may be refused to the client that it was issued to; undefined when nothing explains it. */
export function explainCodeRefusal(
  code: Code,
  own: Attempt,
  { now, margin }: Moment,
): string | undefined {
  if (code.attempts.some((attempt) => attempt !== own && attempt.mayHaveWritten)) return 'redeemed'
  if (now + margin >= code.issuedAt + lifetimes.code) return 'expired'
  if (code.guesses >= 5) return 'burnt'
  return code.person.wasRemoved ? 'the person was removed' : undefined
}

/** Why an access token may be refused. */
export function explainAccessRefusal(access: Access, moment: Moment): string | undefined {
  if (access.revocation !== undefined) return 'revoked'
  if (moment.now + moment.margin >= access.expiresAt) return 'expired'
  return explainEnd(access.grant, moment)
}

/** What forbids that an access token is accepted by whoever asks the store. */
export function findAccessBan(access: Access, { now, margin }: Moment): string | undefined {
  if (access.revocation === 'acknowledged') return 'it was revoked'
  if (now > access.expiresAt + margin) return 'it expired'
  const { endAcknowledged } = access.grant
  return endAcknowledged === undefined ? undefined : `its grant ended: ${endAcknowledged}`
}
