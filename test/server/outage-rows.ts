/** What must hold of the rows of a store whenever nothing is under way, whatever failed before. */
import { expect } from 'vitest'
import { type AuthorizationCode, codes } from '../../src/storage/records/code.ts'
import { families } from '../../src/storage/records/family.ts'
import {
  clientGrants,
  endedGrants,
  type Grant,
  grants,
  userGrants,
} from '../../src/storage/records/grant.ts'
import { type Installation, installations } from '../../src/storage/records/key.ts'
import { type Session, sessions, userSessions } from '../../src/storage/records/session.ts'
import { type User, users } from '../../src/storage/records/user.ts'
import type { ListedEntry } from '../../src/storage/store.ts'
import type { Life } from './outage-life.ts'
import { listAll } from './outage-template.ts'

/** Kinds of rows that are kept for ever. Of clients, those that were authorized. */
const lasting = /^(?:vault|key|key-ring|installation|user|user-by-login|user-by-upstream|client)\//

/** Nothing is half done, and nothing stays that nobody needs. */
export async function expectWhole(life: Life): Promise<void> {
  const rows = new Map((await listAll(life.rows)).map((row) => [row.key, row]))
  expectPeople(rows)
  expectGrants(rows)
  for (const { key, value, expiresAt } of rows.values()) {
    if (expiresAt !== undefined) continue
    expect(key, 'stays for ever').toMatch(lasting)
    if (key.startsWith('client/')) expect(JSON.parse(value), key).toHaveProperty('authorizedAt')
  }
  life.clock.advance(3 * 365 * 86_400)
  while ((await life.rows.sweep(1000)) > 0);
  const left = (await listAll(life.rows)).filter(({ key }) => !lasting.test(key))
  expect(left).toEqual([])
}

type Rows = ReadonlyMap<string, ListedEntry>

/** The values of one kind of row, by the rest of their keys. */
function readAll<T>(rows: Rows, prefix: string): [string, T][] {
  const found = [...rows.values()].filter(({ key }) => key.startsWith(prefix))
  return found.map(({ key, value }) => [key.slice(prefix.length), JSON.parse(value) as T])
}

/** Every account can be found by whoever signs in, and every session by whoever ends the account's. */
function expectPeople(rows: Rows): void {
  const people = readAll<User>(rows, users.key(''))
  for (const [id, { lookupKey, upstream, sealedPassword }] of people) {
    expect(rows.get(lookupKey)?.value, 'who signs in').toBe(JSON.stringify({ userId: id }))
    expect(sealedPassword !== undefined, 'has a password').toBe(upstream === 'local')
  }
  const pointers = [...rows.keys()].filter((key) => key.startsWith('user-by-'))
  expect(pointers).toHaveLength(people.length)
  const [installation] = readAll<Installation>(rows, installations.key(''))
  expect(installation?.[1].setupHash !== undefined && people.length > 0, 'set-up link').toBe(false)

  const listed = readAll<{ hashes: string[] }>(rows, userSessions.key('')).flatMap(
    ([userId, { hashes }]) => hashes.map((hash) => `${userId} ${hash}`),
  )
  const open = readAll<Session>(rows, sessions.key('')).map(
    ([hash, { userId }]) => `${userId} ${hash}`,
  )
  expect(listed.sort()).toEqual(open.sort())
}

/** A grant, its family and both lists of it come and go together; a code that was used led to one. */
function expectGrants(rows: Rows): void {
  const live = readAll<Grant>(rows, grants.key(''))
  const ids = live.map(([id]) => id).sort()
  const familyIds = readAll(rows, families.key('')).map(([id]) => id)
  expect(familyIds.sort()).toEqual(ids)
  const ofUsers = live.map(([id, { userId }]) => `${userId}/${id}`)
  const ofClients = live.map(([id, { clientId }]) => `${clientId}/${id}`)
  expect(
    readAll(rows, userGrants.key(''))
      .map(([key]) => key)
      .sort(),
  ).toEqual(ofUsers.sort())
  expect(
    readAll(rows, clientGrants.key(''))
      .map(([key]) => key)
      .sort(),
  ).toEqual(ofClients.sort())
  for (const [, { redeemedAt, grantId }] of readAll<AuthorizationCode>(rows, codes.key(''))) {
    const isKnown = rows.has(grants.key(grantId)) || rows.has(endedGrants.key(grantId))
    if (isKnown) expect(redeemedAt, 'a grant of a code that is not used').toBeDefined()
  }
}
