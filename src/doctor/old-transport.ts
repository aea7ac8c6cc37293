/** Telling a server of the old HTTP+SSE transport (MCP 2024-11-05) from one that is not there. */
import { wantsToken } from './default-endpoints.ts'
import type { SharedVisit } from './visit.ts'

/** Whether GET opens the stream of HTTP+SSE, and to anybody: its first event names where to post. */
export function opensOldStream({ get }: Pick<SharedVisit, 'get'>): boolean {
  const { status, headers = {}, body = '' } = get.response ?? {}
  const isStream = /event-stream/i.test(headers['content-type'] ?? '')
  return status === 200 && isStream && /^event: ?endpoint/m.test(body)
}

/**
 * Whether HTTP+SSE is all that the server speaks: POST finds nothing, which is when clients of both transports
 * go on by GET (MCP 2025-11-25, transports, Backwards Compatibility), and GET opens the stream or wants a token.
 */
export function isOldTransport(shared: Pick<SharedVisit, 'post' | 'get'>): boolean {
  const status = shared.post.response?.status ?? 0
  return [404, 405, 410].includes(status) && (opensOldStream(shared) || wantsToken(shared))
}
