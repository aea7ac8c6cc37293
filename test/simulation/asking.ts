/** Questions about tokens: may it pass a gate, and is it alive? */
import { type AnswerBody, readAnswer } from './answers.ts'
import {
  type Access,
  explainAccessRefusal,
  explainRefusal,
  findAccessBan,
  findBan,
  type Token,
  Violation,
} from './model.ts'
import { momentOf, type Outcome, post, type Stage, sendSafely } from './requests.ts'
import { issuer, resourceServer } from './template.ts'
import type { Answer, Process } from './world.ts'

/** Shows an access token to a gate. */
export async function useAccess(stage: Stage, access: Access, to?: Process): Promise<Outcome> {
  const { world } = stage
  const { grant } = access
  const request = new Request(`${issuer}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access.value}`, 'content-type': 'application/json' },
    body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  })
  grant.newestUse = Math.max(grant.newestUse, access.issuedAt)
  const wasEndedAt = new Set(grant.endedAt)
  const wasExpired = world.now() > access.expiresAt + world.margin()
  const answer = await sendSafely(world, `use ${access.name}`, request, to)
  if (!answer) return 'unknown'
  if (answer.status === 200) {
    if (wasExpired) throw new Violation('revoked-lives', `${access.name} is used, but it expired`)
    if (wasEndedAt.has(answer.process)) {
      throw new Violation('revoked-lives', `${access.name} is used where its grant was ended`)
    }
    return 'ok'
  }
  if (answer.status === 503) {
    readAnswer({ ...answer, text: toPlainError(answer) })
    return 'unknown'
  }
  if (answer.status === 401 && explainAccessRefusal(access, momentOf(stage))) return 'refused'
  throw new Violation(
    'honest-logout',
    `${access.name} is refused at the gate: ${answer.status} ${answer.record.reason}`,
  )
}

/** The gate tells errors to MCP clients in an envelope of theirs; the code is in the challenge or the data. */
function toPlainError({ text }: Answer): string {
  const isOurs = text.includes('temporarily_unavailable') || text.includes('try again')
  return isOurs ? '{"error":"temporarily_unavailable","error_description":"-"}' : text
}

/** Asks whether an access token is alive; the answer is the store's own. */
export async function introspectAccess(stage: Stage, access: Access): Promise<Outcome> {
  const ban = findAccessBan(access, momentOf(stage))
  access.grant.newestUse = Math.max(access.grant.newestUse, access.issuedAt)
  const body = await introspect(stage, access)
  if (!body) return 'unknown'
  const { now, margin } = momentOf(stage)
  // The mark of its end may go with the token: when that expires in the middle of the request, anything holds.
  const expiredMeanwhile = ban !== 'it expired' && now + margin >= access.expiresAt
  if (body.active === true && ban !== undefined && !expiredMeanwhile) {
    throw new Violation('revoked-lives', `${access.name} is active, but ${ban}`)
  }
  if (body.active === false && !explainAccessRefusal(access, momentOf(stage))) {
    throw new Violation('honest-logout', `${access.name} is said to be dead`)
  }
  return body.active === true ? 'ok' : 'refused'
}

/** Asks whether a refresh token is the living one of its family. */
export async function introspectToken(stage: Stage, token: Token): Promise<Outcome> {
  const ban = token.successor ? 'it was replaced' : findBan(token, momentOf(stage))
  const body = await introspect(stage, token)
  if (!body) return 'unknown'
  if (body.active === true && ban !== undefined) {
    throw new Violation('one-leaf', `${token.name} is active, but ${ban}`)
  }
  const isLeaf = token.successor === undefined && token.firstPresentedAt === undefined
  if (body.active === false && isLeaf && !explainRefusal(token, momentOf(stage))) {
    throw new Violation('honest-logout', `${token.name} is said to be dead`)
  }
  return body.active === true ? 'ok' : 'refused'
}

async function introspect(
  stage: Stage,
  { name, value }: { name: string; value: string },
): Promise<AnswerBody | undefined> {
  const answer = await post(stage, `introspect ${name}`, '/introspect', {
    token: value,
    client_id: resourceServer.id,
    client_secret: resourceServer.secret,
  })
  if (!answer) return undefined
  const body = readAnswer(answer)
  if (answer.status === 503) return undefined
  if (answer.status === 200) return body
  throw new Violation(
    'fault-as-refusal',
    `introspect ${name}: ${answer.status} ${String(body.error)}`,
  )
}
