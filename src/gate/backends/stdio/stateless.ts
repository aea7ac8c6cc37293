/**
 * Requests without a session, as MCP 2026-07-28 has them over HTTP: what each must say of itself, and that its
 * header fields say the same as its body (streamable-http, Server Validation).
 */
import { OAuthError } from '../../../errors.ts'
import { corsHeaders } from '../../../oauth/cors.ts'
import type { Answer } from '../../../platform/exchange.ts'
import {
  headerMismatchCode,
  invalidParams,
  invalidRequest,
  methodNotFound,
  missingCapability,
  unsupportedRevision,
} from '../../error-codes.ts'
import { headerMismatch, verifyHeaderMatch } from '../../policy/header-match.ts'
import { parseBody, targetMissing } from '../../policy/message.ts'
import { exposedFields } from '../../refusal.ts'
import { type Message, type MessageError, renderErrorMessage } from '../bridge/messages.ts'
import { isRequest } from '../bridge/streamable-client.ts'
import type { Request } from './open-requests.ts'

/** The last revision with sessions. */
const lastWithSessions = '2025-11-25'

/** Methods that name something, which `Mcp-Name` repeats. */
const namingMethods: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get'])

/** Whether what was posted is in a revision without sessions, by its body or by its header. */
export function isStateless(headers: Headers, messages: readonly Message[]): boolean {
  if (messages.some(({ statelessRevision }) => statelessRevision !== undefined)) return true
  if (messages.some(({ method }) => method === 'initialize')) return false
  return isWithoutSessions(headers.get('mcp-protocol-version') ?? '')
}

function isWithoutSessions(revision: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(revision) && revision > lastWithSessions
}

/**
 * The one request of a body without a session.
 *
 * @throws OAuthError `invalid_request` when it is anything else
 */
export function toStatelessRequest(messages: readonly Message[]): Request {
  const [message, ...others] = messages
  if (message !== undefined && others.length === 0 && isRequest(message)) return message
  throw new OAuthError('invalid_request', 'Without a session, send one request at a time', {
    reason: 'no_single_request',
  })
}

/**
 * Why a request is refused here: no program must see one that it could take for the beginning of a session.
 * Undefined when it is passed on.
 */
export function findStatelessRefusal(
  headers: Headers,
  request: Request,
  text: string,
): MessageError | undefined {
  const { method = '', statelessRevision, hasCapabilities } = request
  const missingMeta = toMissing({
    protocolVersion: statelessRevision,
    clientCapabilities: hasCapabilities,
  })
  if (missingMeta !== undefined)
    return { code: invalidParams, message: `_meta lacks io.modelcontextprotocol/${missingMeta}` }
  const required = ['mcp-protocol-version', 'mcp-method']
  if (namingMethods.has(method)) required.push('mcp-name')
  const missing = required.find((name) => !headers.has(name))
  if (missing !== undefined)
    return { code: headerMismatchCode, message: `The header ${missing} is missing` }
  if (headers.get('mcp-protocol-version') !== statelessRevision)
    return {
      code: headerMismatchCode,
      message: 'MCP-Protocol-Version must be the protocolVersion in _meta',
    }
  const fault = findFault(() => verifyHeaderMatch(headers, parseBody(text)))
  if (fault !== undefined) return fault
  if (method !== 'initialize') return undefined
  return { code: methodNotFound, message: 'There is no initialize in this revision' }
}

function toMissing(members: Record<string, unknown>): string | undefined {
  return Object.keys(members).find((name) => !members[name])
}

/** The refusal that a check throws; undefined when it finds nothing, or what the server itself refuses better. */
export function findFault(check: () => void): MessageError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    if (error.reason === targetMissing) return undefined
    const code = error.reason === headerMismatch ? headerMismatchCode : invalidRequest
    return { code, message: error.description ?? 'The request cannot be understood' }
  }
}

/** HTTP statuses of errors (MCP 2026-07-28 streamable-http, Protocol Version Header and Server Validation). */
const statuses: ReadonlyMap<number | undefined, number> = new Map([
  [methodNotFound, 404],
  [headerMismatchCode, 400],
  [missingCapability, 400],
  [unsupportedRevision, 400],
])

/** The HTTP status of an answer; 200 unless its error has one of its own. */
export function toHttpStatus({ errorCode }: Pick<Message, 'errorCode'>): number {
  return statuses.get(errorCode) ?? 200
}

/** A refusal as JSON-RPC has it, with the id of its request. */
export function renderStatelessRefusal({ id }: Request, error: MessageError): Answer {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return {
    status: statuses.get(error.code) ?? 400,
    headers: { ...headers, ...corsHeaders(exposedFields) },
    body: renderErrorMessage(id, error),
  }
}
