/** The MCP messages that the doctor sends, as clients of the last two revisions write them. */

/** The last revision that begins with `initialize`, and the one that begins with `server/discover`. */
export type SpokenRevision = '2025-11-25' | '2026-07-28'

/** A message. */
export interface McpMessage {
  readonly method: string
  readonly revision: SpokenRevision
  readonly sessionId?: string | undefined
}

const clientInfo = { name: 'gatehouse-doctor', version: '1' }

/** The first message of each revision. */
export const openings = {
  initialize: { method: 'initialize', revision: '2025-11-25' },
  discover: { method: 'server/discover', revision: '2026-07-28' },
} as const satisfies Record<string, McpMessage>

/** One JSON-RPC message to an MCP endpoint, without a token. */
export function createMcpRequest(url: string, { method, revision, sessionId }: McpMessage) {
  const isNotification = method.startsWith('notifications/')
  const params = { ...createParams(method), ...(revision === '2026-07-28' && createMeta()) }
  const body = { jsonrpc: '2.0', ...(!isNotification && { id: 1 }), method, params }
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(method !== 'initialize' && { 'mcp-protocol-version': revision }),
      ...(revision === '2026-07-28' && { 'mcp-method': method }),
      ...(sessionId !== undefined && { 'mcp-session-id': sessionId }),
    },
    body: JSON.stringify(body),
  }
}

function createParams(method: string): Record<string, unknown> {
  if (method !== 'initialize') return {}
  return { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
}

/** Without sessions each message says which revision it is of (MCP 2026-07-28, `_meta`). */
function createMeta(): Record<string, unknown> {
  return {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': clientInfo,
    },
  }
}
