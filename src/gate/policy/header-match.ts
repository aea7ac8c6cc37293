/**
 * `Mcp-Method` and `Mcp-Name` beside a body (MCP 2026-07-28 streamable-http, Standard Request Headers): what
 * is judged is the body, and whoever routes by the headers behind us must not see another operation.
 */
import { OAuthError } from '../../errors.ts'
import type { Body } from './message.ts'

/** Why {@link verifyHeaderMatch} refuses; it has a JSON-RPC code of its own. */
export const headerMismatch = 'header_mismatch'

/**
 * Refuses header fields that name another operation than the body (catalogue RS-15).
 *
 * @throws OAuthError `invalid_request`, answered as `HeaderMismatch`
 */
export function verifyHeaderMatch(headers: Headers, { isBatch, operations }: Body): void {
  const method = headers.get('mcp-method')
  const name = headers.get('mcp-name')
  if (method === null && name === null) return
  const [operation, ...others] = operations
  if (isBatch || operation === undefined || others.length > 0) throw mismatch()
  if (method !== null && method !== operation.method) throw mismatch()
  const [target] = operation.targets
  if (name !== null && target !== undefined && decodeFieldText(name) !== target.name)
    throw mismatch()
}

/**
 * The text that a field repeats of a body: `=?base64?…?=` stands for what a header field cannot carry.
 *
 * @throws OAuthError `invalid_request`, answered as `HeaderMismatch`, when it stands for no text
 */
export function decodeFieldText(value: string): string {
  const encoded = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value)?.[1]
  if (encoded === undefined) return value
  // RFC 4648 §3.2: padded, or it is no base64.
  if (encoded.length % 4 !== 0) throw mismatch()
  try {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw mismatch()
  }
}

function mismatch(): OAuthError {
  return new OAuthError('invalid_request', 'Mcp-Method and Mcp-Name must be those of the body', {
    reason: headerMismatch,
  })
}
