/**
 * grant_type=refresh_token (OAuth 2.1 §4.3, RFC 9700 §4.14).
 *
 * Every use rotates. Only the current token and its immediate predecessor are known. The predecessor
 * gets the very same successor again (a lost response, five processes sharing one token), within the
 * windows of design §1; anything older ends the grant. All of it is decided by one compare-and-commit
 * on the family, so it holds across processes and hosts.
 *
 * Before anything is given, the identity provider must still stand behind the person, as far as the
 * configuration asks it to: a fault there is 503 and rotates nothing.
 */
import type { RefreshRules, RequestContext, TokenResponse } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import { formatScope, narrowScope, parseScope } from '../../oauth/scope.ts'
import { equalInConstantTime } from '../../platform/crypto.ts'
import type { AuditEventName } from '../../platform/ports.ts'
import { addAccessExpiry, type Family, families } from '../../storage/records/family.ts'
import {
  type Grant,
  type GrantUse,
  grants,
  grantUses,
  toGrantWrites,
} from '../../storage/records/grant.ts'
import type { Stored } from '../../storage/records/record.ts'
import { removedUsers, users } from '../../storage/records/user.ts'
import type { Entry, Write } from '../../storage/store.ts'
import {
  findSealedSuccessor,
  hashRefreshToken,
  isGenuine,
  mintRefreshToken,
  parseRefreshToken,
  sealSuccessor,
} from '../../tokens/refresh-token.ts'
import { endGrant } from './end.ts'
import type { GrantType, TokenRequest } from './grant-type.ts'
import { verifyGrantedResource } from './granted-resource.ts'
import { resolveLifetime } from './standing.ts'

/** How often a request that lost the race for a rotation looks again. It can lose only a few times. */
const attempts = 4

/** What one attempt looks at. */
interface Presented {
  readonly token: string
  readonly hash: string
  readonly grant: Grant
  readonly family: Stored<Family>
  readonly use: GrantUse | undefined
}

/** The access token that comes with a successor. */
interface Issuing {
  /** In seconds. */
  readonly lifetime: number
}

/** Trades a refresh token for an access token and the family's current refresh token. */
export const refreshToken: GrantType = {
  name: 'refresh_token',

  keys(params) {
    const parsed = parseRefreshToken(params.required('refresh_token'))
    if (!parsed) return []
    return [families.key(parsed.grantId), grants.key(parsed.grantId), grantUses.key(parsed.grantId)]
  },

  async redeem(request, context) {
    const token = request.params.required('refresh_token')
    let entries: readonly (Entry | undefined)[] = request.entries
    for (let attempt = 0; attempt < attempts; attempt++) {
      const presented = verifyOwner(token, entries, request)
      await verifySignedIn(presented.grant, context)
      const scope = resolveGrantedScope(presented.grant, request, context)
      const excuse = await verifyPresented(presented, context)
      const lifetime = await resolveLifetime(presented.grant, context)
      const successor = await findSuccessor({ ...presented, lifetime }, excuse, context)
      if (successor) return answer(presented, successor, { scope, lifetime }, context)
      await verifyUser(presented.grant, context)
      entries = await context.store.get(refreshToken.keys(request.params))
    }
    throw unavailable('refresh_contention')
  },
}

/** The token belongs to a live grant of the authenticated client; nothing happens otherwise (RF-10). */
function verifyOwner(
  token: string,
  [family, grant, use]: readonly (Entry | undefined)[],
  { client }: TokenRequest,
): Presented {
  const storedFamily = families.decode(family)
  const storedGrant = grants.decode(grant)
  if (!storedFamily || !storedGrant) throw refuse('unknown')
  if (storedGrant.value.clientId !== client.value.id) throw refuse('other_client')
  return {
    token,
    hash: hashRefreshToken(token),
    grant: storedGrant.value,
    family: storedFamily,
    use: grantUses.decode(use)?.value,
  }
}

/** Scope and resource of the new access token: never more than granted, and no write when refused (RF-12). */
function resolveGrantedScope(
  grant: Grant,
  { params }: TokenRequest,
  context: RequestContext,
): string {
  verifyGrantedResource(params, { granted: grant.resource, what: 'The refresh token' }, context)
  const scope = params.get('scope')
  if (scope === undefined) return grant.scope
  const narrowed = narrowScope(
    parseScope(scope),
    parseScope(grant.scope),
    parseScope(grant.requestedScope),
    context.config.scopeHierarchy,
  )
  return formatScope(narrowed)
}

/**
 * Which token of the family was presented: the current one, or its predecessor with an excuse.
 *
 * @throws OAuthError `invalid_grant` when it is neither
 */
async function verifyPresented(
  presented: Presented,
  context: RequestContext,
): Promise<'current' | 'excused'> {
  const { hash, family } = presented
  if (equalInConstantTime(hash, family.value.currentHash)) return 'current'
  if (isExcused(presented, context.config.refresh, context.clock.now())) return 'excused'
  // Anyone who saw an access token can make up a token of its grant; that must not end it.
  if (!isGenuine(presented.token, context)) throw refuse('made_up')
  await punishReuse(presented, context)
  throw refuse('reused')
}

/** The token that replaces the presented one; undefined when another request rotated first. */
async function findSuccessor(
  presented: Presented & Issuing,
  excuse: 'current' | 'excused',
  context: RequestContext,
): Promise<string | undefined> {
  if (excuse === 'current') return rotate(presented, context)
  await verifyUser(presented.grant, context)
  // Asking took time, in which the excuse may have run out and the grant with it.
  if (!isExcused(presented, context.config.refresh, context.clock.now())) throw refuse('expired')
  return repeatRotation(presented, context)
}

/** Once people sign in, nobody stands behind what came before (A7). */
async function verifySignedIn(grant: Grant, context: RequestContext): Promise<void> {
  if (!grant.noSignIn || context.config.noSignIn) return
  await endGrant(grant.id, 'user_removed', context)
  throw refuse('user_gone')
}

/** Somebody must stand behind the grant (RF-16). A rotation finds out in its commit and comes here only after. */
async function verifyUser(grant: Grant, context: RequestContext): Promise<void> {
  if (await users.find(context.store, grant.userId)) return
  await endGrant(grant.id, 'user_removed', context)
  throw refuse('user_gone')
}

/** One commit: the current token becomes the predecessor, a new one takes its place. */
async function rotate(
  { token, hash, grant, family, lifetime }: Presented & Issuing,
  context: RequestContext,
): Promise<string | undefined> {
  const now = context.clock.now()
  const successor = mintRefreshToken(grant.id, context)
  const idleExpiresAt = Math.min(now + context.config.lifetimes.refreshIdleSeconds, grant.expiresAt)
  const accessExpiresAt = Math.min(now + lifetime, grant.expiresAt)
  const next: Family = {
    currentHash: hashRefreshToken(successor),
    rotatedAt: now,
    idleExpiresAt,
    previousHash: hash,
    sealedSuccessor: sealSuccessor(token, successor, context.random),
    generation: family.value.generation + 1,
    accessExpiries: addAccessExpiry(family.value.accessExpiries, accessExpiresAt, now),
  }
  const won = await context.store.commit({
    check: [
      { key: family.key, version: family.version },
      { key: removedUsers.key(grant.userId), version: null },
    ],
    set: [families.write(family.key, next, idleExpiresAt), ...prolong(grant, next, context)],
  })
  if (!won) return undefined
  audit('token.refreshed', grant, context)
  return successor
}

/** The grant's own records outlive its family, whose check in the same commit guards them too. */
function prolong(
  grant: Grant,
  { idleExpiresAt }: Family,
  { clock, config }: RequestContext,
): Write[] {
  if (grant.storedUntil >= idleExpiresAt) return []
  const storedUntil = clock.now() + 2 * config.lifetimes.refreshIdleSeconds
  return toGrantWrites({ ...grant, storedUntil: Math.min(grant.expiresAt, storedUntil) })
}

/** Whether the immediate predecessor may have its successor once more (design §1, catalogue P3). */
function isExcused({ hash, family, use }: Presented, rules: RefreshRules, now: number): boolean {
  const { previousHash, rotatedAt } = family.value
  if (previousHash === undefined || !equalInConstantTime(hash, previousHash)) return false
  const age = now - rotatedAt
  if (age <= rules.graceSeconds) return true
  // A token minted before the rotation says nothing; one minted since means the answer did arrive.
  const successorWasUsed = use !== undefined && use.issuedAt >= rotatedAt
  return !successorWasUsed && age <= rules.lostResponseSeconds
}

/** Gives the successor that was sealed for exactly this predecessor. Writes nothing. */
function repeatRotation({ token, family, grant }: Presented, context: RequestContext): string {
  const successor = findSealedSuccessor(token, family.value)
  if (successor === undefined) {
    // A damaged row costs this one grant its retry; the holder of the successor goes on (SG-11).
    context.log.error('A refresh family cannot be read', { grant: grant.id })
    throw refuse('successor_lost')
  }
  audit('token.retried', grant, context)
  return successor
}

/** An old token came back: whoever holds the family's tokens, one of them is a thief. */
async function punishReuse({ grant }: Presented, context: RequestContext): Promise<void> {
  if (context.config.refresh.onReuse === 'revoke')
    await endGrant(grant.id, 'refresh_reused', context)
  audit('token.reused', grant, context)
}

async function answer(
  { grant }: Presented,
  successor: string,
  wanted: { scope: string; lifetime: number },
  context: RequestContext,
): Promise<TokenResponse> {
  const remaining = grant.expiresAt - context.clock.now()
  if (remaining <= 0) throw refuse('expired')
  const { scope } = wanted
  const lifetime = Math.min(wanted.lifetime, remaining)
  const accessToken = await context.accessTokens.mint(
    { sub: grant.userId, aud: grant.resource, client_id: grant.clientId, scope, gid: grant.id },
    lifetime,
  )
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: lifetime,
    refresh_token: successor,
    scope,
  }
}

function audit(event: AuditEventName, grant: Grant, context: RequestContext): void {
  context.audit({
    event,
    outcome: event === 'token.reused' ? 'refused' : 'ok',
    clientId: grant.clientId,
    userId: grant.userId,
    grantId: grant.id,
    requestId: context.exchange.requestId,
    peer: context.exchange.peer,
  })
}

/** One description for every dead refresh token; always `invalid_grant`, never another code (TK-22). */
function refuse(reason: string): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'The refresh token is unknown, expired or revoked; start the authorization again',
    { reason: `refresh_${reason}` },
  )
}
