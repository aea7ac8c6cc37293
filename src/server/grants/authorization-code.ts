/**
 * grant_type=authorization_code (OAuth 2.1 §4.1.3).
 *
 * Cheap checks first; then one commit consumes the code and creates everything it yields. Who loses that
 * commit looks again and finds out why: a wrong attempt at the same time costs the client nothing, a
 * code that is used by now is a replay. One that is redeemed again after two seconds ends the grant.
 */
import type { RequestContext, TokenResponse } from '../../context.ts'
import { OAuthError, unavailable } from '../../errors.ts'
import { verifyCodeVerifier } from '../../oauth/pkce.ts'
import { sha256 } from '../../platform/crypto.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import {
  type AuthorizationCode,
  codeFailuresAllowed,
  codeMemorySeconds,
  codes,
} from '../../storage/records/code.ts'
import { families } from '../../storage/records/family.ts'
import { type Grant, toGrantWrites } from '../../storage/records/grant.ts'
import type { Stored } from '../../storage/records/record.ts'
import { removedUsers } from '../../storage/records/user.ts'
import type { Entry, Write } from '../../storage/store.ts'
import { hashCode, parseCode } from '../../tokens/authorization-code.ts'
import { hashRefreshToken, mintRefreshToken } from '../../tokens/refresh-token.ts'
import { endGrant } from './end.ts'
import type { GrantType, TokenRequest } from './grant-type.ts'
import { verifyGrantedResource } from './granted-resource.ts'
import { resolveLifetime } from './standing.ts'

/** How often a redemption looks again: it can lose to each counted failure, and to changes of user and client. */
const attempts = codeFailuresAllowed + 3

/** A byte-identical redemption within this time is an impatient client, not a thief. */
const impatienceSeconds = 2

/** Trades an authorization code for tokens. */
export const authorizationCode: GrantType = {
  name: 'authorization_code',

  keys(params) {
    const code = parseCode(params.required('code'))
    return code === undefined ? [] : [codes.key(hashCode(code))]
  },

  async redeem(request, context) {
    let [entry] = request.entries
    let { client } = request
    for (let attempt = 0; attempt < attempts; attempt++) {
      const stored = codes.decode(entry)
      if (!stored) throw refuse('unknown')
      await verifyBindings(request, stored, context)
      if (stored.value.redeemedAt !== undefined) throw await refuseReplay(stored.value, context)
      if (stored.value.expiresAt <= context.clock.now()) throw refuse('expired')
      const answer = await tryRedeem(stored, client, context)
      if (answer) return answer
      ;[entry, client] = await readAgain(stored, client, context)
    }
    throw unavailable('code_contention')
  },
}

/** What a redemption that lost looks at again: the code, and whether client and user are still there. */
async function readAgain(
  { key, value: { userId } }: Stored<AuthorizationCode>,
  client: Stored<Client>,
  { store }: RequestContext,
): Promise<[Entry | undefined, Stored<Client>]> {
  const [code, present, removal] = await store.get([key, client.key, removedUsers.key(userId)])
  const registered = clients.decode(present)
  if (removal) throw refuse('user_gone')
  if (!registered) throw refuse('client_gone')
  return [code, registered]
}

/**
 * Consumes the code and creates what it yields, in one commit; undefined when something of it changed
 * meanwhile. User and client are checked with it: no grant may appear behind their removal (RF-16).
 */
async function tryRedeem(
  stored: Stored<AuthorizationCode>,
  registered: Stored<Client>,
  context: RequestContext,
): Promise<TokenResponse | undefined> {
  const client = registered.value
  const lifetime = await resolveLifetime(stored.value, context)
  const { answer, writes } = await issueTokens(stored.value, { client, lifetime }, context)
  const won = await context.store.commit({
    check: [
      { key: stored.key, version: stored.version },
      { key: removedUsers.key(stored.value.userId), version: null },
      { key: registered.key, version: registered.version },
    ],
    set: [markRedeemed(stored, context), ...writes],
  })
  if (!won) return undefined
  audit('token.issued', stored.value, context, {
    scope: answer.scope,
    resource: stored.value.resource,
  })
  return answer
}

/** Client, redirect URI, resource and PKCE, as the authorization request bound them (CD-10). */
async function verifyBindings(
  { params, client }: TokenRequest,
  stored: Stored<AuthorizationCode>,
  context: RequestContext,
): Promise<void> {
  const code = stored.value
  if (code.failures >= codeFailuresAllowed) throw refuse('burnt')
  if (code.clientId !== client.value.id) throw await countFailure(stored, 'other_client', context)
  if (!provesPossession(params.get('code_verifier'), code)) {
    throw await countFailure(stored, 'pkce_mismatch', context)
  }
  const redirectUri = params.get('redirect_uri')
  if (redirectUri !== undefined && redirectUri !== code.redirectUri) {
    throw refuse(
      'redirect_uri_mismatch',
      'Redirect URI mismatch: send the one of the authorization request',
    )
  }
  verifyGrantedResource(params, { granted: code.resource, what: 'The code' }, context)
}

/** A verifier is demanded if and only if a challenge was sent (CD-02). */
function provesPossession(verifier: string | undefined, code: AuthorizationCode): boolean {
  if (code.codeChallenge === undefined) return verifier === undefined
  return verifier !== undefined && verifyCodeVerifier(verifier, code.codeChallenge, sha256)
}

/**
 * Counts a wrong client or verifier; the code survives four of them (catalogue P4). Of several at the
 * same moment one is counted: that helps nobody to guess 256 bits.
 */
async function countFailure(
  stored: Stored<AuthorizationCode>,
  reason: string,
  context: RequestContext,
): Promise<OAuthError> {
  const code = { ...stored.value, failures: stored.value.failures + 1 }
  await context.store.commit({
    check: [{ key: stored.key, version: stored.version }],
    set: [codes.write(stored.key, code, code.expiresAt + codeMemorySeconds)],
  })
  return refuse(reason)
}

function markRedeemed(stored: Stored<AuthorizationCode>, { clock }: RequestContext): Write {
  const code = { ...stored.value, redeemedAt: clock.now() }
  return codes.write(stored.key, code, code.redeemedAt + codeMemorySeconds)
}

/** The answer and every record it stands on, to be written in the commit that consumes the code. */
async function issueTokens(
  code: AuthorizationCode,
  { client, lifetime }: { client: Client; lifetime: number },
  context: RequestContext,
): Promise<{ answer: TokenResponse; writes: Write[] }> {
  const { lifetimes } = context.config
  const now = context.clock.now()
  const refreshes = client.metadata.grant_types.includes('refresh_token')
  const expiresAt =
    now + (refreshes ? lifetimes.refreshAbsoluteSeconds : lifetimes.accessTokenSeconds)
  const grant: Grant = {
    id: code.grantId,
    userId: code.userId,
    ...(code.upstream !== undefined && { upstream: code.upstream }),
    clientId: client.id,
    resource: code.resource,
    scope: code.scope,
    requestedScope: code.requestedScope,
    createdAt: now,
    expiresAt,
    storedUntil: Math.min(expiresAt, now + 2 * lifetimes.refreshIdleSeconds),
    ...(context.config.noSignIn && { noSignIn: true }),
  }
  const writes = toGrantWrites(grant)
  const refreshToken = refreshes ? mintRefreshToken(grant.id, context) : undefined
  if (refreshToken !== undefined)
    writes.push(beginFamily(grant, { refreshToken, lifetime }, context))

  const accessToken = await context.accessTokens.mint(
    {
      sub: grant.userId,
      aud: grant.resource,
      client_id: client.id,
      scope: grant.scope,
      gid: grant.id,
    },
    lifetime,
  )
  const answer: TokenResponse = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: lifetime,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    scope: grant.scope,
  }
  return { answer, writes }
}

function beginFamily(
  grant: Grant,
  { refreshToken, lifetime }: { refreshToken: string; lifetime: number },
  { clock, config }: RequestContext,
): Write {
  const now = clock.now()
  const idleExpiresAt = Math.min(now + config.lifetimes.refreshIdleSeconds, grant.expiresAt)
  const family = {
    currentHash: hashRefreshToken(refreshToken),
    rotatedAt: now,
    idleExpiresAt,
    generation: 0,
    accessExpiries: [now + lifetime],
  }
  return families.write(families.key(grant.id), family, idleExpiresAt)
}

/** A second redemption by someone who holds code and verifier: within two seconds impatience, later theft. */
async function refuseReplay(code: AuthorizationCode, context: RequestContext): Promise<OAuthError> {
  const age = context.clock.now() - (code.redeemedAt ?? 0)
  if (age > impatienceSeconds) await endGrant(code.grantId, 'code_replayed', context)
  audit('code.replayed', code, context)
  return refuse('replayed')
}

function audit(
  event: 'token.issued' | 'code.replayed',
  code: AuthorizationCode,
  context: RequestContext,
  details: Record<string, unknown> = {},
): void {
  context.audit({
    event,
    outcome: event === 'token.issued' ? 'ok' : 'refused',
    clientId: code.clientId,
    userId: code.userId,
    grantId: code.grantId,
    requestId: context.exchange.requestId,
    peer: context.exchange.peer,
    details,
  })
}

/** One description for unknown, expired, used and foreign codes; the log knows which (TK-21). */
function refuse(reason: string, description?: string): OAuthError {
  return new OAuthError(
    'invalid_grant',
    description ??
      'Invalid authorization code: it is unknown, expired or already used; start the authorization again',
    { reason: `code_${reason}` },
  )
}
