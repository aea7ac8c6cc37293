/** What we know of a person: sealed in the record, and brought up to date at a sign-in. */
import type { Stored } from '../storage/records/record.ts'
import type { Profile, User } from '../storage/records/user.ts'
import type { Sealer } from '../storage/sealer.ts'
import type { Identity } from './upstream.ts'

/** A user together with what we know of them, opened. */
export interface KnownUser {
  readonly record: Stored<User>
  /** Opened when it is first read: most requests need not know who the person is. */
  readonly profile: Profile
}

const profilePurpose = 'user-profile'

/** A user's record with its profile. */
export function openUser(sealer: Sealer, record: Stored<User>): KnownUser {
  let profile: Profile | undefined
  return {
    record,
    get profile() {
      return (profile ??= openProfile(sealer, record.value))
    },
  }
}

function openProfile(sealer: Sealer, { id, sealedProfile }: User): Profile {
  return JSON.parse(sealer.open(profilePurpose, id, sealedProfile)) as Profile
}

/** A profile as the record of this user holds it. */
export function sealProfile(sealer: Sealer, userId: string, profile: Profile): string {
  return sealer.seal(profilePurpose, userId, JSON.stringify(profile))
}

/** Everything but the tokens and what rules alone look at. */
export function toProfile({ login, email, emailVerified, name }: Identity): Profile {
  return {
    login,
    ...(email !== undefined && { email }),
    ...(emailVerified !== undefined && { emailVerified }),
    ...(name !== undefined && { name }),
  }
}

/** Whether two profiles say the same. */
export function isSameProfile(a: Profile, b: Profile): boolean {
  return (
    a.login === b.login &&
    a.email === b.email &&
    a.emailVerified === b.emailVerified &&
    a.name === b.name
  )
}
