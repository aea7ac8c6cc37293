/**
 * How a policy says no: 403 `insufficient_scope` with all that the operation needs (MCP authorization,
 * Runtime Insufficient Scope Errors; RFC 6750 §3.1), or a tool result that asks ChatGPT for more.
 */
import type { Backend, RequestContext } from '../../context.ts'
import { OAuthError, toErrorBody } from '../../errors.ts'
import { formatChallenge } from '../../oauth/challenge.ts'
import { resourceMetadataPath } from '../../oauth/resource.ts'
import type { Answer } from '../../platform/exchange.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import type { Need } from './compile.ts'
import type { Operation } from './message.ts'

/** A request that a policy refuses. */
export interface Refused {
  readonly request: Request
  readonly claims: AccessTokenClaims
  readonly backend: Backend
  /** The operations that may not be, none when the connection as such may not be. */
  readonly operations: readonly Operation[]
  /** What the whole request needs. */
  readonly need: Need
}

/** The first revision whose clients add up by themselves what they have and what they need. */
const clientsUnite = '2026-07-28'

/** Names in a description: how many, and how long each. */
const namesShown = 3
const lettersShown = 60

/** The 403 of a refused request: with a challenge, unless no token would do. */
export function toRefusal(refused: Refused, context: RequestContext): OAuthError {
  const what = describeOperations(refused.operations)
  if (refused.need.denied) {
    return new OAuthError('access_denied', `Nobody may use ${what} here`, {
      reason: 'policy_denied',
    })
  }
  const { scopes } = refused.need
  const named =
    scopes.length === 1 ? `The scope ${scopes.join()} is` : `The scopes ${scopes.join(' ')} are`
  const description = `${named} needed for ${what}; authorize again with more`
  const error = new OAuthError('insufficient_scope', description, { reason: 'scope_missing' })
  const { issuer } = context.config
  const challenge = formatChallenge({
    resourceMetadata: issuer + resourceMetadataPath(refused.backend.path),
    scope: toScopesToAsk(refused, context).join(' '),
    error: error.code,
    errorDescription: toErrorBody(error).error_description,
  })
  return new OAuthError(error.code, description, {
    reason: 'scope_missing',
    headers: { 'www-authenticate': challenge },
  })
}

/**
 * The refusal as the result of the only tool call in a request (Apps SDK): the model reads the text, and
 * ChatGPT shows its button for the challenge. Undefined for any other request.
 */
export function toToolResult(
  error: OAuthError,
  { request, operations }: Refused,
  isBatch: boolean,
) {
  const [call, ...others] = operations
  if (isBatch || others.length > 0 || call?.comparable !== 'tools/call') return undefined
  if (typeof call.id !== 'string' && !Number.isSafeInteger(call.id)) return undefined
  const challenge = error.headers['www-authenticate']
  const result = {
    content: [{ type: 'text', text: error.description }],
    isError: true,
    ...(challenge !== undefined && { _meta: { 'mcp/www_authenticate': [challenge] } }),
    ...(isModern(request) && { resultType: 'complete' }),
  }
  const answer: Answer = {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify({ jsonrpc: '2.0', id: call.id, result }),
  }
  return answer
}

/**
 * What the client should ask for: what the operation needs. Clients before 2026-07-28 forget what they
 * have when they ask for more, so they are told both, as revision 2025-11-25 recommends.
 */
function toScopesToAsk({ request, claims, need }: Refused, { config }: RequestContext): string[] {
  if (isModern(request)) return [...need.scopes]
  const known = claims.scope.split(' ').filter((scope) => Object.hasOwn(config.scopes, scope))
  return [...new Set([...known, ...need.scopes])]
}

function isModern(request: Request): boolean {
  const version = request.headers.get('mcp-protocol-version') ?? ''
  return /^\d{4}-\d\d-\d\d$/.test(version) && version >= clientsUnite
}

/** `the tool delete_note and the method logging/setLevel`; the names are the client's. */
function describeOperations(operations: readonly Operation[]): string {
  if (operations.length === 0) return 'this MCP server'
  const all = operations.map(describeOperation)
  const shown = all.slice(0, namesShown).join(' and ')
  return all.length > namesShown ? `${shown} and ${all.length - namesShown} more` : shown
}

function describeOperation({ method, targets: [target] }: Operation): string {
  const [kind, name] = target ? [target.kind, target.name] : ['method', method]
  return `the ${kind} ${name.length > lettersShown ? `${name.slice(0, lettersShown)}…` : name}`
}
