/**
 * The paths of a backend, every method: the protected MCP endpoint (MCP 2026-07-28 streamable-http and
 * authorization; catalogue §13).
 *
 * The order of the questions is the protection: is the request meant for us, may this page ask, who is
 * calling, and only then what do they want. What passes goes to `backends/`.
 */
import type { Backend, Endpoint, RequestContext } from '../context.ts'
import { OAuthError } from '../errors.ts'
import { isPreflight, toPreflightAnswer } from '../oauth/cors.ts'
import { verifyPlainBody } from '../platform/refusals.ts'
import type { HttpBackend, StdioBackend } from './backends/request-fields.ts'
import { createWays, type Way } from './backends/ways.ts'
import { verifyBearer } from './bearer.ts'
import { verifyBrowser } from './browser.ts'
import { createGrantUses, type NoteGrantUse } from './grant-use.ts'
import { createScreen, type ScreenRequest } from './policy/screen.ts'
import { auditRefusal } from './refusal.ts'

/** The guarded endpoint of one path. */
export interface Gate {
  readonly path: string
  readonly endpoint: Endpoint
}

/**
 * The endpoints that guard one backend: one for each of its ways. Their errors are to be rendered by
 * `renderRefusal`.
 *
 * @throws TypeError at once when there is no way to the backend
 */
export function createGates(backend: Backend): readonly Gate[] {
  if (!isServed(backend))
    throw new TypeError(`The backend "${backend.id}" has no "to" URL and no command to reach it by`)
  const noteGrantUse = createGrantUses()
  return createWays(backend).map((way) => ({
    path: way.path,
    endpoint: guard(backend, way, noteGrantUse),
  }))
}

function guard(backend: Backend, way: Way, noteGrantUse: NoteGrantUse): Endpoint {
  const { methods } = way
  const door = { ...backend, path: way.protectedPath }
  const findScreen = createScreenOnce(door, way)
  return async (request, context) => {
    try {
      verifyPath(request, way)
      verifyBrowserAudited(request, context)
      if (isPreflight(request)) return toPreflightAnswer(request, { methods })
      const claims = await verifyBearer(request, door, context)
      if (claims.iss === context.config.issuer) noteGrantUse(claims, context)
      verifyMethod(request, way)
      verifyBodiless(request)
      verifyContent(request)
      const screened = await findScreen?.(context)(request, claims, context)
      if (screened && 'answer' in screened) return screened.answer
      return await way.forward(request, claims, context, screened)
    } catch (error) {
      const status = error instanceof OAuthError ? error.status : 500
      context.metrics.count('gate_requests', { backend: backend.id, status: String(status) })
      throw error
    }
  }
}

function isServed(backend: Backend): backend is HttpBackend | StdioBackend {
  return backend.to !== undefined || backend.program !== undefined
}

/** The hierarchy of scopes is known with the first request; without a policy nothing is screened. */
function createScreenOnce(
  backend: Backend,
  { answersElsewhere }: Way,
): ((context: RequestContext) => ScreenRequest) | undefined {
  if (backend.policy === undefined) return undefined
  // A tool result would come where nobody reads one.
  const policy = { ...backend.policy, ...(answersElsewhere && { answer: 'forbidden' as const }) }
  let screen: ScreenRequest | undefined
  return ({ config }) => {
    screen ??= createScreen(backend, policy, config.scopeHierarchy)
    return screen
  }
}

/** The path that is guarded is the one that is forwarded: exactly this one (catalogue RS-09). */
function verifyPath(request: Request, { path }: Way): void {
  if (new URL(request.url).pathname === path) return
  throw new OAuthError('invalid_request', 'There is no MCP server at this path', {
    status: 404,
    reason: 'unknown_path',
  })
}

function verifyBrowserAudited(request: Request, context: RequestContext): void {
  try {
    verifyBrowser(request, context.config)
  } catch (error) {
    if (error instanceof OAuthError) auditRefusal(context, error)
    throw error
  }
}

/** The request line alone names the method; no field can change it (catalogue RS-09). */
function verifyMethod(request: Request, { methods }: Way): void {
  if (methods.includes(request.method)) return
  throw new OAuthError('invalid_request', `The method ${request.method} is not served here`, {
    status: 405,
    reason: 'method_not_served',
    headers: { allow: methods.join(', ') },
  })
}

/**
 * Only a POST carries a body. A backend that ignores one on a GET could read it as its next request,
 * with header fields of the client's choice.
 */
function verifyBodiless(request: Request): void {
  const length = request.headers.get('content-length') ?? '0'
  if (request.method === 'POST') return
  if (length === '0' && !request.headers.has('transfer-encoding')) return
  throw new OAuthError('invalid_request', `A ${request.method} request cannot have a body here`, {
    reason: 'unexpected_body',
  })
}

/** JSON, which no page can send without asking first (RS-14), and uncompressed, so that it can be counted (PX-15). */
function verifyContent(request: Request): void {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (request.method === 'POST' && type !== 'application/json')
    throw new OAuthError('invalid_request', 'Send the message as application/json', {
      status: 415,
      reason: 'content_type_not_json',
    })
  verifyPlainBody(request.headers.get('content-encoding'))
}
