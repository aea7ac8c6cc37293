/** JSON-RPC messages as far as a bridge must know them: which of them ask, and which answer whom. */
import { OAuthError } from '../../../errors.ts'
import { internalError } from '../../error-codes.ts'

/** One message, and its text as it came. */
export interface Message {
  readonly text: string
  readonly kind: 'request' | 'notification' | 'response'
  /** Of a request or response: its id as JSON, so that `1` and `"1"` are two. */
  readonly id?: string | undefined
  readonly method?: string | undefined
  /** Of a request: what its progress notifications will name, as JSON. Of such a notification: what it names. */
  readonly progressToken?: string | undefined
  /** Of a response to `initialize`: the revision that both sides speak from then on. */
  readonly revision?: string | undefined
  /** Of a response: whether it is an error, and its code. */
  readonly isError?: boolean
  readonly errorCode?: number | undefined
  /** Of a request without a session: the revision that it names itself (MCP 2026-07-28). */
  readonly statelessRevision?: string | undefined
  /** Whether it also says what its client is capable of, as it must then. */
  readonly hasCapabilities?: boolean | undefined
  /** Of such a request: whether log lines are wanted with its answer. */
  readonly wantsLog?: boolean | undefined
  /** Of a notification about a request: its id as JSON. */
  readonly about?: string | undefined
}

/** Messages of one batch at most (MCP 2025-03-26 has batches). */
const longestBatch = 100

/** Of names in `_meta` that belong to the protocol (MCP 2026-07-28 basic). */
const metaPrefix = 'io.modelcontextprotocol/'

const cancelling = 'notifications/cancelled'

/**
 * The messages of a body: one, or a batch.
 *
 * @throws OAuthError `invalid_request` when it is no JSON-RPC
 */
export function parseMessages(text: string): readonly Message[] {
  const body = parseJson(text)
  if (!Array.isArray(body)) return [toMessage(body, text)]
  if (body.length === 0 || body.length > longestBatch) throw malformed()
  return body.map((item: unknown) => toMessage(item, renderItem(item)))
}

/** What is too deep to be written can still be read. */
function renderItem(item: unknown): string {
  try {
    return JSON.stringify(item)
  } catch {
    throw malformed()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed()
  }
}

function toMessage(value: unknown, text: string): Message {
  if (!isObject(value)) throw malformed()
  const { method, params, result, error } = value
  const id = toId(value['id'])
  // Line ends stand only between the parts of JSON, never in a text.
  const line = text.replace(/[\r\n]+/g, ' ')
  if (typeof method === 'string') {
    const kind = id === undefined ? 'notification' : 'request'
    return { text: line, kind, method, id, ...findRelations(method, params) }
  }
  if (!Object.hasOwn(value, 'result') && !Object.hasOwn(value, 'error')) throw malformed()
  const revision = isObject(result) ? toRevision(result['protocolVersion']) : undefined
  const code = isObject(error) ? error['code'] : undefined
  const errorCode = typeof code === 'number' ? code : undefined
  const isError = Object.hasOwn(value, 'error')
  return { text: line, kind: 'response', id, revision, isError, errorCode }
}

function toRevision(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.-]{1,32}$/.test(value) ? value : undefined
}

function toId(id: unknown): string | undefined {
  // A number that is too great would be written as something else.
  return typeof id === 'string' || Number.isFinite(id) ? JSON.stringify(id) : undefined
}

/** The id of the request that a message says nobody waits for any more, as JSON. */
export function findCancelled({ method, about }: Message): string | undefined {
  return method === cancelling ? about : undefined
}

/** What the parameters of a message say of other messages, and of the revision it is in. */
function findRelations(method: string, params: unknown) {
  if (!isObject(params)) return {}
  const meta = isObject(params['_meta']) ? params['_meta'] : {}
  const isProgress = method === 'notifications/progress'
  const isCancelling = method === cancelling
  return {
    progressToken: toId((isProgress ? params : meta)['progressToken']),
    about: toId(isCancelling ? params['requestId'] : meta[`${metaPrefix}subscriptionId`]),
    statelessRevision: toRevision(meta[`${metaPrefix}protocolVersion`]),
    wantsLog: meta[`${metaPrefix}logLevel`] !== undefined,
    hasCapabilities: isObject(meta[`${metaPrefix}clientCapabilities`]),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The answer to a request that the backend did not answer. */
export function renderFailure(id: string, error: unknown): string {
  const description = error instanceof OAuthError ? error.description : undefined
  const message = description ?? 'The MCP server did not answer'
  return renderErrorMessage(id, { code: internalError, message })
}

/** What a JSON-RPC error says. */
export interface MessageError {
  readonly code: number
  readonly message: string
  readonly data?: object
}

/** An error in answer to the request of this id, which is JSON already. */
export function renderErrorMessage(id: string, error: MessageError): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`
}

function malformed(): OAuthError {
  return new OAuthError('invalid_request', 'The body must be a JSON-RPC message', {
    reason: 'message_malformed',
  })
}
