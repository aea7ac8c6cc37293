/**
 * `grant/<id>`: what one user allowed one client; `user-grant/…` and `client-grant/…` list it.
 * `ended/<id>`: a mark that the grant ended, for as long as one of its access tokens may live; with a
 * `jti` in place of the id, that this one access token was revoked.
 * `used/<id>`: the `iat` of the newest access token of the grant that a gate has seen in use.
 */
import type { Store, Write } from '../store.ts'
import { toClientPart } from './client.ts'
import { families } from './family.ts'
import { defineRecord } from './record.ts'

/** The stored result of a consent. Its refresh tokens are in `family.ts`. */
export interface Grant {
  readonly id: string
  readonly userId: string
  /** How the person signed in: `local` or the id of a provider, which is asked again at refreshes. */
  readonly upstream?: string
  readonly clientId: string
  readonly resource: string
  readonly scope: string
  readonly requestedScope: string
  /** Unix seconds. */
  readonly createdAt: number
  /** Unix seconds after which it is over whatever happens. */
  readonly expiresAt: number
  /**
   * Unix seconds until which the records are kept: twice the idle time of its refresh tokens, prolonged
   * when less than once of it is left. So an abandoned grant goes by itself, and a rotation seldom
   * writes more than its family.
   */
  readonly storedUntil: number
  /** Whether nobody had to sign in for it; once people do, nobody stands behind it (A7). */
  readonly noSignIn?: true
}

/** Why a grant ended, for the audit log. */
export type EndReason =
  | 'revoked'
  | 'code_replayed'
  | 'refresh_reused'
  | 'user_removed'
  | 'client_removed'
  | 'upstream_ended'
  | 'not_admitted'

/** The mark of an ended grant. */
export interface EndedGrant {
  readonly at: number
  readonly why: EndReason
  /** The grant of a single access token that was revoked, and when it would have expired; absent where a grant ended. */
  readonly ofGrant?: string
  readonly tokenExpiresAt?: number
}

/** The newest access token of a grant seen in use. */
export interface GrantUse {
  /** `iat` of that token, unix seconds. */
  readonly issuedAt: number
}

export const grants = defineRecord<Grant>('grant')
export const userGrants = defineRecord<{ clientId: string }>('user-grant')
export const clientGrants = defineRecord<{ userId: string }>('client-grant', toClientPart)
export const endedGrants = defineRecord<EndedGrant>('ended')
export const grantUses = defineRecord<GrantUse>('used')

/** The writes that store a grant and list it under its user and its client. */
export function toGrantWrites(grant: Grant): Write[] {
  const { id, userId, clientId, storedUntil } = grant
  return [
    grants.write(grants.key(id), grant, storedUntil),
    userGrants.write(userGrants.key(userId, id), { clientId }, storedUntil),
    clientGrants.write(clientGrants.key(clientId, id), { userId }, storedUntil),
  ]
}

/** How much longer than an access token the mark of an ended grant is kept, for gates whose clock is slow. */
const clockSkewSeconds = 60

/**
 * The writes that end a grant, to be part of a commit.
 *
 * Its refresh tokens and both index entries go; the mark stays for as long as one of its access
 * tokens can still be presented, so that every gate refuses it. Ending a grant twice does no harm.
 *
 * @param grant whose grant; the `user-grant` entry holds enough, the grant itself need not be read
 * @param at unix seconds
 * @param accessTokenSeconds the lifetime of its access tokens
 */
export function toGrantEnd(
  grant: Pick<Grant, 'id' | 'userId' | 'clientId'>,
  why: EndReason,
  at: number,
  accessTokenSeconds: number,
): { set: Write[]; delete: string[] } {
  const { id, userId, clientId } = grant
  const markExpiresAt = at + accessTokenSeconds + clockSkewSeconds
  return {
    set: [endedGrants.write(endedGrants.key(id), { at, why }, markExpiresAt)],
    delete: [
      grants.key(id),
      families.key(id),
      userGrants.key(userId, id),
      clientGrants.key(clientId, id),
    ],
  }
}

/** Attempts against other gates that write the same record. */
const recordAttempts = 5

/**
 * Records that an access token of a grant was seen in use; only the newest token counts.
 *
 * The refresh grant reads it: a lost response is repeated only while nothing it carried was used
 * (design §1, catalogue P3). Whoever loses a race looks again.
 *
 * @returns false when others kept coming first: not recorded, try again
 */
export async function recordGrantUse(
  store: Store,
  grantId: string,
  use: GrantUse,
  expiresAt: number,
): Promise<boolean> {
  const key = grantUses.key(grantId)
  for (let attempt = 0; attempt < recordAttempts; attempt++) {
    const known = grantUses.decode((await store.get([key]))[0])
    if (known && known.value.issuedAt >= use.issuedAt) return true
    const recorded = await store.commit({
      check: [{ key, version: known?.version ?? null }],
      set: [grantUses.write(key, use, expiresAt)],
    })
    if (recorded) return true
  }
  return false
}
