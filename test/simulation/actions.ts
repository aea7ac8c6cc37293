/** What people, clients, thieves, the owner and the weather do. Each takes its choices from dice of its own. */
import { OAuthError } from '../../src/errors.ts'
import { readAnswer } from './answers.ts'
import { introspectAccess, introspectToken, useAccess } from './asking.ts'
import { authorize } from './browsing.ts'
import type { Dice } from './dice.ts'
import { type App, type Code, type Grant, type Person, Violation } from './model.ts'
import {
  credentialsOf,
  endGrant,
  expectError,
  type Outcome,
  post,
  presentToken,
  redeemCode,
  type Stage,
  sendSafely,
} from './requests.ts'
import type { Kind } from './settings.ts'
import { issuer } from './template.ts'
import { breakStore, crashProcess, letTimePass, moveClock, restartProcess } from './weather.ts'
import { ConnectionLost } from './world.ts'

type Action = (stage: Stage, dice: Dice) => Promise<void>

/** Tries of an honest client before it leaves it for later. */
const tries = 6

/** How to do each kind of thing. What has no object yet is left undone. */
export const actions: Record<Kind, Action> = {
  register,
  connect,
  refresh: (stage, dice) => withGrant(stage, dice, (grant) => refresh(stage, dice, grant)),
  'lose-answer': (stage, dice) => withGrant(stage, dice, (grant) => loseAnswer(stage, grant)),
  'live-on': (stage, dice) => withGrant(stage, dice, (grant) => liveOn(stage, dice, grant)),
  steal,
  'replay-code': replayCode,
  'guess-verifier': guessVerifier,
  revoke: (stage, dice) => withGrant(stage, dice, (grant) => revokeGrant(stage, dice, grant)),
  'revoke-access': revokeAccess,
  introspect,
  use,
  'remove-user': removeUser,
  crash: crashProcess,
  restart: restartProcess,
  wait: letTimePass,
  'move-clock': moveClock,
  outage: breakStore,
}

async function register(stage: Stage, dice: Dice): Promise<void> {
  const { world } = stage
  const isPublic = dice.chance(0.6)
  const metadata = {
    client_name: `App ${dice.below(3)}`,
    redirect_uris: ['https://client.example/callback'],
    token_endpoint_auth_method: isPublic ? 'none' : 'client_secret_post',
  }
  for (let attempt = 0; attempt < tries; attempt++) {
    const request = new Request(`${issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    })
    const sentAt = world.now()
    const answer = await sendSafely(world, 'register', request)
    if (!answer) continue
    const body = readAnswer(answer)
    if (answer.status === 503) continue
    if (answer.status !== 201) throw new Violation('fault-as-refusal', `register: ${answer.text}`)
    noteApp(stage, body as App['registered'], sentAt)
    return
  }
}

function noteApp(
  { world, model }: Stage,
  registered: App['registered'],
  registeredAt: number,
): void {
  const known = model.apps.find((app) => app.registered.client_id === registered.client_id)
  if (known && !world.settings.reuseRegistrations) {
    throw new Violation('lost-registration', `${registered.client_id} was given twice`)
  }
  if (known) {
    known.registeredAt = registeredAt
    return
  }
  const name = `app${model.apps.length + 1}`
  const fresh = { name, registered, registeredAt, isAuthorized: false, isGone: false }
  model.apps.push(fresh)
}

/** Sign-in, consent and code; then the code is traded, perhaps by several at once. */
async function connect(stage: Stage, dice: Dice): Promise<void> {
  const { model } = stage
  if (model.apps.length === 0) return
  const app = dice.pick(model.apps)
  const person = dice.pick(model.people)
  const code = await authorize(stage, person, app)
  if (!code || dice.chance(0.1)) return
  if (dice.chance(0.1)) {
    // The removal looks around before it commits; who comes a little later meets its commit.
    const redeemLater = async () => {
      for (let turns = dice.below(6); turns > 0; turns--) await stage.world.scheduler.turn()
      await persist(() => redeemCode(stage, code))
    }
    await Promise.all([removePerson(stage, person), redeemLater()])
    return
  }
  if (dice.chance(0.25)) await Promise.all(repeat(2 + dice.below(3), () => redeemCode(stage, code)))
  else await persist(() => redeemCode(stage, code))
}

function repeat<T>(count: number, work: () => T): T[] {
  return Array.from({ length: count }, work)
}

/** Repeats what did not get through. */
async function persist(work: () => Promise<Outcome>): Promise<Outcome> {
  for (let attempt = 1; attempt < tries; attempt++) {
    const outcome = await work()
    if (outcome !== 'unknown') return outcome
  }
  return work()
}

/** Does something as the honest client of a grant, which does one thing at a time. */
async function withGrant(
  { model }: Stage,
  dice: Dice,
  work: (grant: Grant) => Promise<void>,
): Promise<void> {
  const free = model.grants.filter(({ isBusy }) => !isBusy)
  if (free.length === 0) return
  const grant = dice.pick(free)
  grant.isBusy = true
  await work(grant)
  grant.isBusy = false
}

/** One to five processes that share a credential refresh it at once; then they hold what they got. */
async function refresh(stage: Stage, dice: Dice, grant: Grant): Promise<void> {
  const { held } = grant
  if (!held) return
  const present = (): Promise<Outcome> => presentToken(stage, held, { isHonest: true })
  const crowd = dice.chance(0.4) ? 2 + dice.below(4) : 1
  const outcomes = await Promise.all(repeat(crowd, () => persist(present)))
  if (outcomes.includes('ok')) grant.held = held.successor ?? held
}

/** The server answers and the client never hears of it. */
async function loseAnswer(stage: Stage, { held }: Grant): Promise<void> {
  if (held) await presentToken(stage, held, { isHonest: true, isHeard: false })
}

/** A client that comes back every few weeks keeps its grant. */
async function liveOn(stage: Stage, dice: Dice, grant: Grant): Promise<void> {
  for (let month = 0; month < 4; month++) {
    stage.world.moveClock(25 * 86_400, true)
    await refresh(stage, dice, grant)
  }
}

/** Somebody else presents a token, of any age; and what it yields, too. */
async function steal(stage: Stage, dice: Dice): Promise<void> {
  const { model } = stage
  if (model.grants.length === 0) return
  const grant = dice.pick(model.grants)
  const token = dice.pick(grant.tokens)
  if (!token.successor?.successor) grant.isStolen = true
  else grant.endAsked ??= 'an old token came back'
  await presentToken(stage, token, { isHonest: false })
}

async function replayCode(stage: Stage, dice: Dice): Promise<void> {
  const { codes } = stage.model
  if (codes.length > 0) await redeemCode(stage, dice.pick(codes))
}

/** Wrong verifiers: refused, and the code survives four of them. */
async function guessVerifier(stage: Stage, dice: Dice): Promise<void> {
  const { codes } = stage.model
  if (codes.length === 0) return
  const code = dice.pick(codes)
  const guesses = repeat(1 + dice.below(3), () => guess(stage, code))
  await Promise.all(guesses)
}

async function guess(stage: Stage, code: Code): Promise<void> {
  code.guesses += 1
  const answer = await post(stage, `guess ${code.name}`, '/token', {
    grant_type: 'authorization_code',
    ...credentialsOf(code.app),
    code: code.value,
    code_verifier: 'x'.repeat(43),
  })
  if (!answer) return
  const body = readAnswer(answer)
  if (answer.status !== 503) expectError(answer, body, 'invalid_grant')
}

/** The client gives its grant back, with the newest token or an older one. */
async function revokeGrant(stage: Stage, dice: Dice, grant: Grant): Promise<void> {
  const token = dice.pick(grant.tokens)
  grant.endAsked ??= 'the client gave it back'
  await persist(async () => {
    const answer = await post(stage, `revoke ${token.name}`, '/revoke', {
      ...credentialsOf(grant.code.app),
      token: token.value,
    })
    if (!answer) return 'unknown'
    readAnswer(answer)
    if (answer.status === 503) return 'unknown'
    if (answer.status !== 200) throw new Violation('fault-as-refusal', `revoke: ${answer.text}`)
    endGrant(grant, 'the client gave it back', answer)
    return 'ok'
  })
}

async function revokeAccess(stage: Stage, dice: Dice): Promise<void> {
  const access = pickAccess(stage, dice)
  if (!access) return
  access.revocation ??= 'asked'
  await persist(async () => {
    const answer = await post(stage, `revoke ${access.name}`, '/revoke', {
      ...credentialsOf(access.grant.code.app),
      token: access.value,
    })
    if (!answer) return 'unknown'
    readAnswer(answer)
    if (answer.status === 503) return 'unknown'
    if (answer.status !== 200) throw new Violation('fault-as-refusal', `revoke: ${answer.text}`)
    access.revocation = 'acknowledged'
    return 'ok'
  })
}

function pickAccess({ model }: Stage, dice: Dice) {
  const all = model.grants.flatMap(({ accesses }) => accesses.slice(-3))
  return all.length > 0 ? dice.pick(all) : undefined
}

async function introspect(stage: Stage, dice: Dice): Promise<void> {
  const { grants } = stage.model
  if (grants.length === 0) return
  const { tokens, accesses } = dice.pick(grants)
  if (dice.chance(0.5)) await introspectToken(stage, dice.pick(tokens))
  else if (accesses.length > 0) await introspectAccess(stage, dice.pick(accesses))
}

async function use(stage: Stage, dice: Dice): Promise<void> {
  const access = pickAccess(stage, dice)
  if (access) await useAccess(stage, access)
}

async function removeUser(stage: Stage, dice: Dice): Promise<void> {
  await removePerson(stage, dice.pick(stage.model.people))
}

/** The owner removes the account that a person had last. */
async function removePerson(stage: Stage, person: Person): Promise<void> {
  const { world, model } = stage
  const userId = model.grants.findLast(({ code }) => code.person === person)?.userId
  if (userId === undefined) return
  const theirs = model.grants.filter((grant) => grant.userId === userId)
  const why = 'the user was removed'
  person.wasRemoved = true
  model.removals.set(userId, model.removals.get(userId) ?? 'asked')
  for (const grant of theirs) grant.endAsked ??= why
  await persist(async () => {
    try {
      await world.call(`remove ${person.name}`, ({ context }) => context.users.remove(userId))
    } catch (error) {
      if (error instanceof ConnectionLost) return 'unknown'
      if (error instanceof OAuthError && error.status === 503) return 'unknown'
      throw error
    }
    for (const grant of theirs) grant.endAcknowledged ??= why
    model.removals.set(userId, 'acknowledged')
    return 'ok'
  })
}
