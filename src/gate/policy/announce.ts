/**
 * Says in `tools/list` what each tool needs, as the Apps SDK reads it: `securitySchemes`, and the same in
 * `_meta` for clients that drop members they do not know.
 *
 * An announcement protects nothing, so whatever cannot be read passes unchanged: answers that are too
 * long, compressed, or not JSON.
 */
import type { BodyRewriter, HeaderField } from '../../platform/exchange.ts'
import type { Need } from './compile.ts'
import type { Operation } from './message.ts'
import {
  createEventRewriter,
  createWholeRewriter,
  type RewriteText,
  rewriteSafely,
} from './rewrite.ts'

/** Puts announcements into the answer to one request. */
export interface AnnounceScopes {
  /** What rewrites an answer with this status and these fields; undefined when nothing does. */
  inBody(status: number, fields: readonly HeaderField[]): BodyRewriter | undefined
  /** The message that a client gets in place of this one. */
  inText(text: string): string
}

/** Makes the announcements for requests with these operations; undefined for those that list no tools. */
export function createAnnouncement(judgeTool: (name: string) => Need) {
  return (operations: readonly Operation[]): AnnounceScopes | undefined => {
    const lists = operations.filter(({ comparable }) => comparable === 'tools/list')
    if (lists.length === 0) return undefined
    const ids = new Set(lists.map(({ id }) => id))
    const rewrite: RewriteText = (text) => announceIn(text, ids, judgeTool)
    return {
      inBody: (status, fields) => chooseRewriter(rewrite, status, fields),
      inText: (text) => rewriteSafely(text, rewrite),
    }
  }
}

function chooseRewriter(
  rewrite: RewriteText,
  status: number,
  fields: readonly HeaderField[],
): BodyRewriter | undefined {
  const find = (wanted: string) => fields.find(([name]) => name === wanted)?.[1] ?? ''
  if (status !== 200 || !['', 'identity'].includes(find('content-encoding'))) return undefined
  const type = find('content-type').split(';')[0]?.trim().toLowerCase()
  if (type === 'text/event-stream') return createEventRewriter(rewrite)
  return type === 'application/json' ? createWholeRewriter(rewrite) : undefined
}

function announceIn(
  text: string,
  ids: ReadonlySet<unknown>,
  judgeTool: (name: string) => Need,
): string | undefined {
  if (!text.includes('"tools"')) return undefined
  const value = parseExact(text)
  const messages = [value].flat().filter(isObject)
  const listed = messages.filter(({ id, result }) => ids.has(id) && isObject(result))
  const tools = listed.flatMap(({ result }) => (isObject(result) ? [result.tools].flat() : []))
  for (const tool of tools.filter(isObject)) announce(tool, judgeTool)
  return tools.length === 0 ? undefined : JSON.stringify(value)
}

/** What nobody may call is left as it is. */
function announce(tool: Members, judgeTool: (name: string) => Need): void {
  if (typeof tool.name !== 'string') return
  const need = judgeTool(tool.name)
  if (need.denied) return
  const securitySchemes = [{ type: 'oauth2', scopes: need.scopes }]
  const meta = isObject(tool._meta) ? tool._meta : {}
  Object.assign(tool, { securitySchemes, _meta: { ...meta, securitySchemes } })
}

type Members = Record<string, unknown>

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON whose numbers stay as they were written: schemas have limits beyond what a number holds exactly. */
function parseExact(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? keepSource(source)
      : value,
  )
}

/** `JSON.rawJSON` is in every Node we run on, and not yet in the types. */
const { rawJSON } = JSON as typeof JSON & { rawJSON: (text: string) => unknown }

function keepSource(source: string): unknown {
  return rawJSON(source)
}
