/** What becomes of the tokens of a login: used, refreshed twice at once, revoked. */
import type { SpokenRevision } from '../mcp-messages.ts'
import type { Observation } from '../observation.ts'
import { type Login, nameSecrets } from './login-ports.ts'
import { createMessageRequest, createTokenRequest } from './login-requests.ts'
import type { Ending, Refreshes, TokenUse } from './login-visit.ts'
import { hasToken, isSuccess, readRpc, readText } from './read-answers.ts'

/** The tokens that a client would hold. */
export interface HeldTokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
}

/** Begins a conversation of either era and asks for the tools. */
export async function useToken(login: Login, token: string): Promise<TokenUse> {
  const { opening, revision, sessionId } = await open(login, token)
  if (!isSuccess(opening)) return { opening }
  const ask = (method: string): Promise<Observation> => {
    const request = createMessageRequest(login.plan, token, { method, revision, sessionId })
    return login.send('Listing the tools', request)
  }
  if (revision !== '2026-07-28') await ask('notifications/initialized')
  const tools = await ask('tools/list')
  await endSession(login, token, sessionId)
  return { opening, tools, toolCount: countTools(tools) }
}

/** Whether a token is accepted: the request that opened the conversation before, once more. */
async function tryToken(login: Login, token: string, before?: TokenUse): Promise<Observation> {
  const isModern = before?.opening.request.headers['mcp-method'] !== undefined
  const opening = isModern
    ? await speak(login, token, 'server/discover', '2026-07-28')
    : await speak(login, token, 'initialize', '2025-11-25')
  await endSession(login, token, readSessionId(login, opening))
  return opening
}

async function open(login: Login, token: string) {
  const first = await speak(login, token, 'initialize', '2025-11-25')
  const isModern = needsDiscovery(first)
  const revision: SpokenRevision = isModern ? '2026-07-28' : '2025-11-25'
  const opening = isModern ? await speak(login, token, 'server/discover', revision) : first
  return { opening, revision, sessionId: readSessionId(login, opening) }
}

function readSessionId({ secrets }: Login, { response }: Observation): string | undefined {
  return secrets.name('session id', response?.headers['mcp-session-id'])
}

/** A server of the newest revision alone does not know `initialize`, and says so in JSON-RPC. */
function needsDiscovery(first: Observation): boolean {
  const { status = 0 } = first.response ?? {}
  if (status === 401 || status === 403) return false
  return readRpc(first)?.['error'] !== undefined
}

function speak(login: Login, token: string, method: string, revision: SpokenRevision) {
  const request = createMessageRequest(login.plan, token, { method, revision })
  return login.send(`Using the token: ${method}`, request)
}

/** So that the server need not keep what nobody uses (MCP 2025-11-25, Session Management). */
async function endSession({ plan, ports }: Login, token: string, sessionId?: string) {
  if (sessionId === undefined) return
  const headers = { authorization: `Bearer ${token}`, 'mcp-session-id': sessionId }
  await ports.send({ method: 'DELETE', url: plan.url, headers })
}

function countTools(tools: Observation): number | undefined {
  const result = readRpc(tools)?.['result']
  if (typeof result !== 'object' || result === null || !('tools' in result)) return undefined
  return Array.isArray(result.tools) ? result.tools.length : undefined
}

/** Refreshes twice at once with the same token, as hosts with several requests under way do. */
export async function refreshTwice(
  login: Login,
  refreshToken: string,
  before?: TokenUse,
): Promise<{ seen: Refreshes; newest: Partial<HeldTokens> }> {
  const pair = await Promise.all([refresh(login, refreshToken), refresh(login, refreshToken)])
  const answers = pair.filter(hasToken)
  const successors = answers.map((answer) => readText(answer, 'refresh_token'))
  const bringsSuccessor = successors.some((one) => one !== undefined)
  const [first, second] = successors
  const isSameSuccessor = answers.length === 2 && bringsSuccessor ? first === second : undefined
  const kept = successors.findLast((one) => one !== undefined) ?? refreshToken
  const [newest] = answers.toReversed()
  if (newest === undefined || login.ports.signal.aborted)
    return { seen: { pair, isSameSuccessor, bringsSuccessor }, newest: { refreshToken: kept } }
  const followUp = await refresh(login, kept)
  const last = hasToken(followUp) ? followUp : newest
  const accessToken = readText(last, 'access_token') ?? ''
  const use = await tryToken(login, accessToken, before)
  return {
    seen: { pair, isSameSuccessor, bringsSuccessor, followUp, use },
    newest: { accessToken, refreshToken: readText(followUp, 'refresh_token') ?? kept },
  }
}

async function refresh(login: Login, refreshToken: string): Promise<Observation> {
  const { plan, client, secrets } = login
  const request = createTokenRequest(plan.endpoints.token, client, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    resource: plan.client.sendsResource ? plan.resource : undefined,
  })
  const answer = await login.send('Refreshing', request)
  nameSecrets(answer, secrets)
  return answer
}

/** Revokes the grant (RFC 7009) and sees whether it is over; undefined where nothing can be revoked. */
export async function endGrant(
  login: Login,
  held: HeldTokens,
  before?: TokenUse,
): Promise<Ending | undefined> {
  const { plan, client } = login
  const { accessToken, refreshToken } = held
  if (plan.endpoints.revocation === undefined) return undefined
  const request = createTokenRequest(plan.endpoints.revocation, client, {
    token: refreshToken ?? accessToken,
    token_type_hint: refreshToken === undefined ? 'access_token' : 'refresh_token',
  })
  const revocation = await login.send('Revoking', request)
  if (!isSuccess(revocation) || login.ports.signal.aborted) return { revocation }
  const refreshed = refreshToken === undefined ? undefined : await refresh(login, refreshToken)
  const use = await tryToken(login, accessToken, before)
  return { revocation, refresh: refreshed, use }
}
