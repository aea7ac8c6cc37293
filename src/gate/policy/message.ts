/**
 * What a client asks for: the operations in the body of a POST, one message or a batch of them (MCP
 * 2025-03-26), each with what it names.
 */
import { malformed, parseUnambiguousJson } from './json-text.ts'
import { toComparable } from './pattern.ts'
import { toUriSpellings } from './uri.ts'

/** What a rule of a policy can be about, besides methods. */
export type Kind = 'tool' | 'prompt' | 'resource'

/** One thing that is named, in every spelling it could be read in, as patterns compare them. */
export interface Target {
  readonly kind: Kind
  /** As the client wrote it. */
  readonly name: string
  readonly spellings: readonly string[]
}

/** One message that asks for something. Answers to the backend's own questions ask for nothing. */
export interface Operation {
  /** As the client wrote it. */
  readonly method: string
  /** In the spelling that patterns are compared in. */
  readonly comparable: string
  /** Absent for a notification. */
  readonly id?: unknown
  readonly targets: readonly Target[]
}

/** The operations of a body, and whether it was a batch. */
export interface Body {
  readonly isBatch: boolean
  readonly operations: readonly Operation[]
}

/** Why a message is refused that names nothing where it must. */
export const targetMissing = 'target_missing'

type Members = Readonly<Record<string, unknown>>

/** Longest method or name, and longest URI, and how many operations or URIs at a time, that are judged. */
const nameLengthAllowed = 1024
const uriLengthAllowed = 2048
const countAllowed = 50

/** Members that decide what a message asks for; no other spelling of them may stand beside or for them. */
const decisive: ReadonlySet<string> = new Set(
  'jsonrpc id method params result error name uri ref notifications resourceSubscriptions type'
    .split(' ')
    .map(toComparable),
)
const decisiveNames: ReadonlySet<string> = new Set([
  'resourceSubscriptions',
  ...[...decisive].filter((name) => name !== 'resourcesubscriptions'),
])

/**
 * Reads the body of a POST.
 *
 * @throws OAuthError `invalid_request` for a body that could be read in two ways or in none: repeated
 *   members, decisive members in another case, a call that names nothing, names with control characters
 */
export function parseBody(text: string): Body {
  const value = parseUnambiguousJson(text)
  if (!Array.isArray(value)) return { isBatch: false, operations: parseMessage(value) }
  verifyCount(value, 'batch')
  return { isBatch: true, operations: value.flatMap(parseMessage) }
}

function parseMessage(value: unknown): Operation[] {
  const message = toMembers(value, 'A message')
  const { method, id } = message
  const isAnswer = 'result' in message || 'error' in message
  if (method === undefined && isAnswer) return []
  if (typeof method !== 'string' || isAnswer)
    throw malformed('A message needs one method and no result', 'message_malformed')
  verifyName(method, 'method', nameLengthAllowed)
  const comparable = toComparable(method)
  const targets = findTargets(comparable, message.params)
  return [{ method, comparable, ...('id' in message && { id }), targets }]
}

function findTargets(method: string, given: unknown): Target[] {
  const find = targetsOf[method]
  if (find !== undefined) return find(toMembers(given, `The params of ${method}`))
  return []
}

/** What each method names. All others name nothing that a rule could be about. */
const targetsOf: Readonly<Record<string, (params: Members) => Target[]>> = {
  __proto__: null as never,
  'tools/call': (params) => [toTarget('tool', params.name)],
  'prompts/get': (params) => [toTarget('prompt', params.name)],
  'resources/read': (params) => [toTarget('resource', params.uri)],
  'resources/subscribe': (params) => [toTarget('resource', params.uri)],
  'resources/unsubscribe': (params) => [toTarget('resource', params.uri)],
  'completion/complete': ({ ref }) => findReferred(toMembers(ref, 'The ref')),
  'subscriptions/listen': ({ notifications }) => findSubscribed(notifications),
}

/** A reference that has both is judged as both. */
function findReferred({ name, uri }: Members): Target[] {
  const prompts = name === undefined ? [] : [toTarget('prompt', name)]
  const resources = uri === undefined ? [] : [toTarget('resource', uri)]
  if (prompts.length + resources.length > 0) return [...prompts, ...resources]
  throw malformed('The ref names neither a prompt nor a resource', targetMissing)
}

function findSubscribed(notifications: unknown): Target[] {
  if (notifications === undefined) return []
  const { resourceSubscriptions: uris = [] } = toMembers(notifications, 'notifications')
  if (!Array.isArray(uris)) throw malformed('resourceSubscriptions is no list', targetMissing)
  if (uris.length > 0) verifyCount(uris, 'resourceSubscriptions')
  return uris.map((uri) => toTarget('resource', uri))
}

function toTarget(kind: Kind, name: unknown): Target {
  if (typeof name !== 'string') throw malformed(`The ${kind} has no name`, targetMissing)
  verifyName(name, kind, kind === 'resource' ? uriLengthAllowed : nameLengthAllowed)
  const spellings = kind === 'resource' ? toUriSpellings(name) : [toComparable(name)]
  return { kind, name, spellings }
}

function verifyCount(items: readonly unknown[], what: string): void {
  if (items.length > 0 && items.length <= countAllowed) return
  throw malformed(`The ${what} must have 1 to ${countAllowed} entries`, 'count_out_of_bounds')
}

/** Control characters end names early in some languages, and half a surrogate pair becomes another letter. */
function verifyName(name: string, what: string, lengthAllowed: number): void {
  if (name.length > lengthAllowed)
    throw malformed(`The ${what} is longer than ${lengthAllowed} characters`, 'name_too_long')
  if (/\p{Cc}/u.test(name) || !name.isWellFormed())
    throw malformed(`The ${what} has characters that no name may have`, 'name_malformed')
}

function toMembers(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} must be an object`, 'message_malformed')
  const disguised = Object.keys(value).find(isDisguised)
  if (disguised === undefined) return value as Members
  throw malformed(`Write the member ${disguised.slice(0, 40)} in lower case`, 'member_disguised')
}

/** Some parsers do not look at the case of names: for them `Method` is `method` (CVE-2026-27896). */
function isDisguised(name: string): boolean {
  if (decisiveNames.has(name)) return false
  return name.length <= 64 && decisive.has(toComparable(name))
}
