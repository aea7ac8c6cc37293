/**
 * The policy of one backend at its gate: the body is read once and whole, judged, and passed on as the same
 * bytes that were judged. Requests to a backend without a policy never come here.
 */
import type { Backend, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import type { Policy } from '../../oauth/policy.ts'
import type { ScopeHierarchy } from '../../oauth/scope.ts'
import type { Answer } from '../../platform/exchange.ts'
import type { AccessTokenClaims } from '../../tokens/access-token.ts'
import { auditRefusal } from '../refusal.ts'
import { type AnnounceScopes, createAnnouncement } from './announce.ts'
import { compilePolicy, uniteNeeds } from './compile.ts'
import { verifyHeaderMatch } from './header-match.ts'
import { createHeldScopes } from './held.ts'
import { type Body, type Operation, parseBody } from './message.ts'
import { type Refused, toRefusal, toToolResult } from './refuse.ts'

/** What is to be done with a request that may pass: pass it on, or answer it here. */
export type Screened =
  | {
      /** The body that was judged. Absent for a request without one. */
      readonly body?: string
      /** Adds to a `tools/list` in the answer what its tools need. */
      readonly announce?: AnnounceScopes
    }
  | { readonly answer: Answer }

/**
 * Judges one request.
 *
 * @throws OAuthError `insufficient_scope` with its challenge, `access_denied` for what nobody may,
 *   `invalid_request` for a body that cannot be judged
 */
export type ScreenRequest = (
  request: Request,
  claims: AccessTokenClaims,
  context: RequestContext,
) => Promise<Screened>

/** Makes the screen of a backend, its policy compiled once. */
export function createScreen(
  backend: Backend,
  policy: Policy,
  hierarchy?: ScopeHierarchy,
): ScreenRequest {
  const { judge, judgeTool } = compilePolicy(policy)
  const findHeld = createHeldScopes(hierarchy)
  const announcement = policy.announce ? createAnnouncement(judgeTool) : undefined
  const connecting = { denied: false, scopes: policy.connect ?? [] }

  return async (request, claims, context) => {
    const held = findHeld(claims.scope)
    const mayPass = (scopes: readonly string[]) => scopes.every((scope) => held.has(scope))
    if (!mayPass(connecting.scopes)) {
      const refused = { request, claims, backend, operations: [], need: connecting }
      throw refuse(refused, context)
    }
    if (request.method !== 'POST') return {}
    verifyCharset(request)
    const text = await context.exchange.readBody(context.config.gateBodyLimitBytes)
    const body = parseBody(text)
    verifyHeaderMatch(request.headers, body)
    const judged = body.operations.map((operation) => ({ operation, need: judge(operation) }))
    const failing = judged.filter(({ need }) => need.denied || !mayPass(need.scopes))
    const announce = announcement?.(body.operations)
    if (failing.length === 0) return { body: text, ...(announce && { announce }) }
    const need = uniteNeeds(failing.map((one) => one.need))
    const operations = failing.map(({ operation }) => operation)
    return answer({ request, claims, backend, operations, need }, body, context)
  }

  function answer(refused: Refused, body: Body, context: RequestContext): Screened {
    const error = refuse(refused, context)
    const asked = policy.answer === 'tool-result' && body.operations.length === 1
    const result = asked ? toToolResult(error, refused, body.isBatch) : undefined
    if (result === undefined) throw error
    context.metrics.count('gate_requests', { backend: backend.id, status: String(result.status) })
    return { answer: result }
  }
}

function refuse(refused: Refused, context: RequestContext): OAuthError {
  const error = toRefusal(refused, context)
  const { operations, need, claims } = refused
  auditRefusal(context, error, claims, {
    operations: operations.slice(0, 10).map(toAuditedName),
    needs: need.scopes.join(' '),
  })
  return error
}

function toAuditedName({ method, targets }: Operation): string {
  return [method, ...targets.map(({ name }) => name)].join(' ').slice(0, 200)
}

/**
 * A backend that honours `charset=utf-7` would read another message than was judged (RFC 8259 §8.1). Parsers
 * differ in which of several counts, so each has to be UTF-8.
 */
function verifyCharset(request: Request): void {
  const type = request.headers.get('content-type') ?? ''
  const charsets = [...type.matchAll(/charset[^=]*=\s*"?([^";\s]*)/gi)].map(([, name = '']) => name)
  if (charsets.every((name) => /^utf-?8$/i.test(name))) return
  throw new OAuthError('invalid_request', 'Send the message as UTF-8', {
    status: 415,
    reason: 'charset_not_utf8',
  })
}
