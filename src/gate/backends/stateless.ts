/**
 * Requests without a session, as MCP 2026-07-28 has them over HTTP: whoever reads the body must see that the
 * header fields say the same (streamable-http, Server Validation).
 */
import { OAuthError } from '../../errors.ts'
import { headerMismatch, verifyHeaderMatch } from '../policy/header-match.ts'
import { parseBody } from '../policy/message.ts'
import type { Message } from './bridge-messages.ts'
import { isRequest } from './bridge-streamable-client.ts'

/** The last revision with sessions. */
const lastWithSessions = '2025-11-25'

/** Methods that name something, which `Mcp-Name` repeats. */
const namingMethods: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get'])

/** Whether what was posted is in a revision without sessions, by its body or by its header. */
export function isStateless(headers: Headers, messages: readonly Message[]): boolean {
  if (messages.some(({ method }) => method === 'initialize')) return false
  const revision = headers.get('mcp-protocol-version') ?? ''
  if (/^\d{4}-\d\d-\d\d$/.test(revision) && revision > lastWithSessions) return true
  return messages.some(({ statelessRevision }) => statelessRevision !== undefined)
}

/**
 * The one request of a body without a session.
 *
 * @throws OAuthError `invalid_request` when it is no single request, or its header fields say something else
 */
export function verifyStateless(
  headers: Headers,
  messages: readonly Message[],
  text: string,
): Message & { readonly id: string } {
  const [message, ...others] = messages
  if (message === undefined || others.length > 0 || !isRequest(message)) throw noRequest()
  const { method = '', statelessRevision } = message
  const required = ['mcp-protocol-version', 'mcp-method']
  if (namingMethods.has(method)) required.push('mcp-name')
  const missing = required.find((name) => !headers.has(name))
  if (missing !== undefined) throw mismatch(`The header ${missing} is missing`)
  if (headers.get('mcp-protocol-version') !== statelessRevision)
    throw mismatch('MCP-Protocol-Version must be the protocolVersion in _meta')
  verifyHeaderMatch(headers, parseBody(text))
  return message
}

function noRequest(): OAuthError {
  return new OAuthError('invalid_request', 'Without a session, send one request at a time', {
    reason: 'no_single_request',
  })
}

function mismatch(description: string): OAuthError {
  return new OAuthError('invalid_request', description, { reason: headerMismatch })
}
