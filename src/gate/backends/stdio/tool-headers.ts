/**
 * Header fields that repeat a tool's parameters, `Mcp-Param-*` (MCP 2026-07-28 streamable-http, Custom Headers
 * from Tool Parameters): which ones there are, a server says in `tools/list`, and whoever reads the bodies of
 * calls must see that both say the same.
 */
import { OAuthError } from '../../../errors.ts'
import { decodeFieldText, headerMismatch } from '../../policy/header-match.ts'

/** The fields of each tool that has some. */
export type ToolHeaders = ReadonlyMap<string, readonly ToolHeader[]>

interface ToolHeader {
  /** Name of the field, in lower case. */
  readonly field: string
  /** Where in the arguments its value stands. */
  readonly path: readonly string[]
}

/** The annotation of a parameter's schema. */
const annotation = 'x-mcp-header'

/** Deepest parameter that is looked at. */
const depthAllowed = 16

/** What an answer to `tools/list` says of them; undefined when it says nothing. */
export function readToolHeaders(text: string): ToolHeaders | undefined {
  if (!text.includes(annotation)) return undefined
  const { result } = toMembers(JSON.parse(text))
  const tools = [toMembers(result).tools].flat().map(toMembers)
  const found = tools.flatMap(({ name, inputSchema }): [string, ToolHeader[]][] => {
    const fields = listHeaders(inputSchema, [])
    return typeof name === 'string' && fields.length > 0 ? [[name, fields]] : []
  })
  return new Map(found)
}

/** Tools with such fields that are remembered of one server; a longer list has only its last page remembered. */
const toolsRemembered = 1000

/** What is known with what was said last: a list may come in several pages. */
export function joinToolHeaders(known: ToolHeaders | undefined, read: ToolHeaders): ToolHeaders {
  const joined = new Map([...(known ?? []), ...read])
  return joined.size > toolsRemembered ? read : joined
}

/** Only along `properties`: anywhere else an annotation makes a tool that clients leave out. */
function listHeaders(schema: unknown, path: readonly string[]): ToolHeader[] {
  if (path.length > depthAllowed) return []
  const properties = toMembers(toMembers(schema).properties)
  return Object.entries(properties).flatMap(([name, property]) => {
    const here = [...path, name]
    const header = toMembers(property)[annotation]
    const own =
      typeof header === 'string' ? [{ field: `mcp-param-${header.toLowerCase()}`, path: here }] : []
    return [...own, ...listHeaders(property, here)]
  })
}

/**
 * Refuses a call whose fields say something else than its arguments.
 *
 * @throws OAuthError `invalid_request`, answered as `HeaderMismatch`
 */
export function verifyToolHeaders(headers: Headers, text: string, known: ToolHeaders): void {
  const { params } = toMembers(JSON.parse(text))
  const { name, arguments: given } = toMembers(params)
  const fields = typeof name === 'string' ? known.get(name) : undefined
  for (const { field, path } of fields ?? []) {
    const said = headers.get(field)
    const value = path.reduce((inner: unknown, member) => toMembers(inner)[member], given)
    const isAbsent = value === undefined || value === null
    if (isAbsent ? said === null : said !== null && isSame(decodeFieldText(said), value)) continue
    throw new OAuthError('invalid_request', `${field} must be ${path.join('.')} of the arguments`, {
      reason: headerMismatch,
    })
  }
}

/** Integers are compared as numbers: 42.0 is 42. */
function isSame(said: string, value: unknown): boolean {
  if (!/^[\t\x20-\x7e]*$/.test(said) && typeof value !== 'string') return false
  if (typeof value === 'number') return said.trim() !== '' && Number(said) === value
  return said === String(value)
}

function toMembers(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : {}
}
