/** The requests that clients make, and the telling of their answers to the model. */
import { readClaims, verifier } from '../helpers/oauth-client.ts'
import { type AnswerBody, readAnswer } from './answers.ts'
import {
  type App,
  type Attempt,
  type Code,
  explainCodeRefusal,
  explainRefusal,
  findBan,
  type Grant,
  lifetimes,
  type Model,
  type Moment,
  mustEndGrant,
  type Token,
  Violation,
} from './model.ts'
import { issuer } from './template.ts'
import { type Answer, ConnectionLost, type Process, type World } from './world.ts'

/** What requests are made in. */
export interface Stage {
  readonly world: World
  readonly model: Model
}

/** An answer that came, or what a client sees of a lost one. */
export type Outcome = 'ok' | 'refused' | 'unknown'

export function momentOf({ world }: Stage): Moment {
  return { now: world.now(), margin: world.margin() }
}

/** Posts a form; undefined when the connection broke. */
export async function post(
  { world }: Stage,
  name: string,
  path: string,
  fields: Record<string, string | undefined>,
  to?: Process,
): Promise<Answer | undefined> {
  const body = new URLSearchParams()
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) body.set(key, value)
  return sendSafely(world, name, toPost(path, body), to)
}

function toPost(path: string, body: URLSearchParams): Request {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return new Request(issuer + path, { method: 'POST', headers, body: body.toString() })
}

/** Sends a request; undefined when the connection broke. */
export async function sendSafely(
  world: World,
  name: string,
  request: Request,
  to?: Process,
): Promise<Answer | undefined> {
  try {
    const answer = await world.send(name, request, to)
    world.trace(`${name} → ${answer.status} ${answer.record.reason ?? ''}`)
    return answer
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
    world.trace(`${name} → connection lost`)
    return undefined
  }
}

export function credentialsOf({ registered }: App): { client_id: string; client_secret?: string } {
  const { client_id, client_secret } = registered
  return { client_id, ...(client_secret !== undefined && { client_secret }) }
}

/** Presents a code as its client does. At most one such request may ever be answered with tokens. */
export async function redeemCode(stage: Stage, code: Code): Promise<Outcome> {
  const { world, model } = stage
  const gone = new Set(
    [...model.removals].flatMap(([id, state]) => (state === 'asked' ? [] : [id])),
  )
  const attempt: Attempt = { startedAt: world.now(), mayHaveWritten: true }
  const known = code.grant
  const wasPast = known !== undefined && world.now() > known.bornBefore + 2 + world.margin()
  const isBurnt = code.guesses >= 5
  code.attempts.push(attempt)
  const answer = await post(stage, `redeem ${code.name}`, '/token', {
    grant_type: 'authorization_code',
    ...credentialsOf(code.app),
    code: code.value,
    code_verifier: verifier,
    redirect_uri: code.app.registered.redirect_uris[0],
  })
  if (!answer) return 'unknown'
  attempt.answeredAt = world.now()
  attempt.mayHaveWritten = answer.record.mayHaveWritten
  const body = readAnswer(answer)
  if (answer.status === 503) return 'unknown'
  if (answer.status === 200) {
    attempt.mayHaveWritten = true
    addGrant(stage, { code, attempt, gone }, body)
    return 'ok'
  }
  expectError(answer, body, 'invalid_grant')
  if (!explainCodeRefusal(code, attempt, momentOf(stage))) {
    throw new Violation('code-lost', `${code.name} is refused for nothing: ${answer.record.reason}`)
  }
  attempt.mayHaveWritten = false
  const isRemembered =
    known && world.now() < known.bornAfter + lifetimes.codeMemory - world.margin()
  if (known && wasPast && isRemembered && !isBurnt && code.guesses === 0) {
    endGrant(known, 'its code was replayed', answer)
  }
  return 'refused'
}

/** A refusal must be the one that the client's engine understands. */
export function expectError(answer: Answer, body: AnswerBody, code: string): void {
  if (answer.status === (code === 'invalid_client' ? 401 : 400) && body.error === code) return
  throw new Violation(
    'fault-as-refusal',
    `${answer.record.name}: ${answer.status} ${String(body.error)} (${answer.record.reason})`,
  )
}

function addGrant(
  stage: Stage,
  { code, attempt, gone }: { code: Code; attempt: Attempt; gone: ReadonlySet<string> },
  body: AnswerBody,
): void {
  const { world, model } = stage
  if (code.grant) throw new Violation('code-single-use', `${code.name} was redeemed twice`)
  const { sub } = readClaims(String(body.access_token))
  if (gone.has(String(sub))) {
    throw new Violation('revoked-lives', `${code.name} is redeemed for a user who was removed`)
  }
  const name = `grant${model.grants.length + 1}`
  const born = { bornAfter: attempt.startedAt, bornBefore: world.now() }
  const grant: Grant = {
    name,
    code,
    userId: String(sub),
    ...born,
    tokens: [],
    accesses: [],
    isBusy: false,
    isStolen: false,
    newestUse: 0,
    endedAt: new Set(),
    presented: [],
    ...(model.removals.has(String(sub)) && { endAsked: 'the user was removed' }),
  }
  const held: Token = { name: `${name}.0`, value: String(body.refresh_token), grant, ...born }
  grant.held = held
  grant.tokens.push(held)
  code.grant = grant
  model.grants.push(grant)
  model.tokens.set(held.value, held)
  addAccess(grant, body)
}

function addAccess(grant: Grant, body: AnswerBody): void {
  const { iat, exp } = readClaims(String(body.access_token))
  grant.accesses.push({
    name: `${grant.name}.access${grant.accesses.length}`,
    value: String(body.access_token),
    grant,
    issuedAt: Number(iat),
    expiresAt: Number(exp),
  })
}

/**
 * Presents a refresh token as its client does, and holds the answer against the rules.
 *
 * @param isHonest the holder of the newest token, which is refused only for a reason
 * @param isHeard false: the answer gets lost on the way
 */
export async function presentToken(
  stage: Stage,
  token: Token,
  { isHonest, isHeard = true }: { isHonest: boolean; isHeard?: boolean },
): Promise<Outcome> {
  const { world } = stage
  const ban = findBan(token, momentOf(stage))
  const isOld = mustEndGrant(token, world.settings)
  const name = `${isHonest ? 'refresh' : 'thief with'} ${token.name}`
  token.firstPresentedAt ??= world.now()
  token.grant.presented.push(token)
  const answer = await post(stage, name, '/token', {
    grant_type: 'refresh_token',
    ...credentialsOf(token.grant.code.app),
    refresh_token: token.value,
  })
  const excuse = explainRefusal(token, momentOf(stage))
  token.grant.presented.splice(token.grant.presented.indexOf(token), 1)
  // Unknown, then: the server may have taken it for theft.
  if ((!answer || answer.status === 503) && excuse !== undefined) token.grant.endAsked ??= excuse
  if (!answer) return 'unknown'
  const body = readAnswer(answer)
  if (answer.status === 503) return 'unknown'
  if (answer.status !== 200) {
    expectError(answer, body, 'invalid_grant')
    const why = isHonest ? excuse : 'somebody else presented it'
    if (why === undefined) {
      throw new Violation('honest-logout', `${token.name} is refused: ${answer.record.reason}`)
    }
    // Whatever explains it, the server may have taken it for theft.
    token.grant.endAsked ??= why
    if (isOld && !isExpiring(token.grant, stage))
      endGrant(token.grant, 'an old token came back', answer)
    return 'refused'
  }
  if (ban !== undefined)
    throw new Violation('revoked-lives', `${token.name} is accepted, but ${ban}`)
  addSuccessor(stage, token, body, isHeard)
  return 'ok'
}

/** Where a grant may have expired, nothing is left that could end. */
function isExpiring(grant: Grant, stage: Stage): boolean {
  const { now, margin } = momentOf(stage)
  return now + margin > grant.bornAfter + 29 * 86_400
}

/** Notes that the end of a grant was acknowledged, and which gate knows at once because it was done there. */
export function endGrant(grant: Grant, why: string, { process, record }: Answer): void {
  grant.endAcknowledged ??= why
  if (record.endedGrant) grant.endedAt.add(process)
}

function addSuccessor(
  { world, model }: Stage,
  token: Token,
  body: AnswerBody,
  isHeard: boolean,
): void {
  const value = String(body.refresh_token)
  const { grant, successor } = token
  if (successor && successor.value !== value) {
    throw new Violation('one-successor', `${token.name} has two successors`)
  }
  if (!successor && model.tokens.has(value)) {
    throw new Violation('one-successor', `${token.name} leads to ${model.tokens.get(value)?.name}`)
  }
  if (isHeard) addAccess(grant, body)
  if (successor) return
  const next: Token = {
    name: `${grant.name}.${grant.tokens.length}`,
    value,
    grant,
    bornAfter: token.firstPresentedAt ?? world.now(),
    bornBefore: world.now(),
  }
  token.successor = next
  grant.tokens.push(next)
  model.tokens.set(value, next)
}
