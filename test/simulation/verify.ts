/** The look at everything once the weather is calm: what was acknowledged is there, what ended is over everywhere. */
import { clients } from '../../src/storage/records/client.ts'
import { codes } from '../../src/storage/records/code.ts'
import { families } from '../../src/storage/records/family.ts'
import {
  clientGrants,
  endedGrants,
  grants as grantRecords,
  userGrants,
} from '../../src/storage/records/grant.ts'
import { users } from '../../src/storage/records/user.ts'
import type { Entry, Store } from '../../src/storage/store.ts'
import { authorizePath } from '../helpers/oauth-client.ts'
import { introspectAccess, introspectToken, useAccess } from './asking.ts'
import {
  explainAccessRefusal,
  explainEnd,
  explainRefusal,
  type Grant,
  lifetimes,
  Violation,
} from './model.ts'
import { momentOf, type Outcome, presentToken, type Stage, sendSafely } from './requests.ts'
import { issuer } from './template.ts'

/** By then every process has read again what it keeps in memory, hint or no hint. */
const stalenessSeconds = 75
const tries = 4

/** Checks every client, grant and token of the model, and the records beneath them. */
export async function verifyEnd(stage: Stage): Promise<void> {
  const { world, model } = stage
  for (let turn = 0; turn < 2; turn++) {
    await settleDown(stage)
    world.moveClock(stalenessSeconds, true)
  }
  await settleDown(stage)
  world.trace('── calm')
  await verifyRecords(world.store)
  for (const grant of model.grants) await verifyGrant(stage, grant)
  await verifyClients(stage)
  await verifyRecords(world.store)
}

/** Lets background work finish: a hundred turns are more than it takes. */
async function settleDown({ world }: Stage): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await world.scheduler.turn()
}

async function verifyGrant(stage: Stage, grant: Grant): Promise<void> {
  const states: Outcome[] = []
  for (const token of grant.tokens.slice(-4))
    states.push(await insist(() => introspectToken(stage, token)))
  if (states.filter((state) => state === 'ok').length > 1) {
    throw new Violation('one-leaf', `${grant.name} has several living refresh tokens`)
  }
  await verifyAccess(stage, grant)
  const { held } = grant
  if (!held) return
  const outcome = await insist(() => presentToken(stage, held, { isHonest: true }))
  if (outcome === 'ok' && explainEnd(grant, momentOf(stage)) === undefined) return
  if (outcome === 'ok' && grant.endAcknowledged !== undefined) {
    throw new Violation('revoked-lives', `${grant.name} goes on, but ${grant.endAcknowledged}`)
  }
  if (outcome === 'refused' && explainRefusal(held, momentOf(stage)) !== undefined) return
  if (outcome === 'refused') throw new Violation('honest-logout', `${held.name} is dead`)
}

/** Every gate and the store itself say the same of an access token. */
async function verifyAccess(stage: Stage, grant: Grant): Promise<void> {
  const access = grant.accesses.at(-1)
  if (!access) return
  const { now, margin } = momentOf(stage)
  const newest = grant.tokens.at(-1)?.bornAfter ?? 0
  // A clock that jumps within a request leaves an access token of a grant that is past its time.
  const isExpiring = now + margin >= Math.min(access.expiresAt, newest + lifetimes.idle)
  const isLate = wasInterrupted(stage, grant)
  const truth = await insist(() => introspectAccess(stage, access))
  for (const process of stage.world.processes) {
    const atGate = await insist(() => useAccess(stage, access, process))
    if (atGate !== truth && !isExpiring && !isLate) {
      throw new Violation(
        'half-done',
        `${access.name}: ${atGate} at the gate of ${process.name}, ${truth} by introspection`,
      )
    }
  }
  if (truth === 'refused' && !explainAccessRefusal(access, momentOf(stage))) {
    throw new Violation('honest-logout', `${access.name} is dead`)
  }
}

/**
 * Whether a process slept for more than a minute in the middle of a request about the grant: the mark of
 * its end is then written too early, or an access token too late, for the one to outlive the other.
 */
function wasInterrupted({ world }: Stage, { name, code }: Grant): boolean {
  const about = [` ${name}.`, ` ${code.name}`, ` ${code.person.name}`]
  return [...world.interrupted].some((request) => about.some((part) => request.includes(part)))
}

/** In calm weather a few tries are enough. */
async function insist(work: () => Promise<Outcome>): Promise<Outcome> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const outcome = await work()
    if (outcome !== 'unknown') return outcome
  }
  throw new Violation('unavailable-without-fault', 'A request is not answered in calm weather')
}

/** Who was acknowledged can still ask for authorization. */
async function verifyClients(stage: Stage): Promise<void> {
  const { world, model } = stage
  for (const app of model.apps) {
    const { now, margin } = momentOf(stage)
    const mayBeGone = !app.isAuthorized && now + margin >= app.registeredAt + lifetimes.unusedClient
    if (mayBeGone || app.isGone) continue
    const request = new Request(issuer + authorizePath(app.registered))
    const answer = await sendSafely(world, `look for ${app.name}`, request)
    if (answer?.record.reason === 'unknown_client') {
      throw new Violation('lost-registration', `${app.name} is gone`)
    }
  }
}

/** Nothing is half done: a grant stands with its index entries, its user and its client, a family with its grant. */
async function verifyRecords(store: Store): Promise<void> {
  const all = new Map((await listAll(store)).map((entry) => [entry.key, entry]))
  const expectKey = (key: string, because: string): void => {
    if (!all.has(key)) throw new Violation('half-done', `${because} stands without ${key}`)
  }
  for (const entry of all.values()) {
    if (entry.key.startsWith(families.key(''))) {
      expectKey(grantRecords.key(entry.key.slice(families.key('').length)), entry.key)
    }
    const code = entry.key.startsWith(codes.key('')) ? codes.decode(entry)?.value : undefined
    // The mark of an ended grant outlives the memory of its code.
    if (code?.redeemedAt !== undefined && !all.has(endedGrants.key(code.grantId))) {
      expectKey(grantRecords.key(code.grantId), entry.key)
    }
    if (!entry.key.startsWith(grantRecords.key(''))) continue
    const grant = grantRecords.decode(entry)?.value
    if (!grant) continue
    expectKey(userGrants.key(grant.userId, grant.id), entry.key)
    expectKey(clientGrants.key(grant.clientId, grant.id), entry.key)
    expectKey(users.key(grant.userId), entry.key)
    expectKey(clients.key(grant.clientId), entry.key)
  }
}

async function listAll(store: Store): Promise<Entry[]> {
  const found: Entry[] = []
  for (;;) {
    const page = await store.list('', { after: found.at(-1)?.key, limit: 500 })
    found.push(...page)
    if (page.length < 500) return found
  }
}
