/** For how long an answer holds, by its own header fields (RFC 9111 §4.2). */

/** The header fields that say it. */
export interface CacheFields {
  readonly 'cache-control'?: string | undefined
  readonly age?: string | undefined
  readonly date?: string | undefined
  readonly expires?: string | undefined
}

const directive = /^([!#$%&'*+.^_`|~\w-]+)(?:=(?:"([^"]*)"|([^\s",]*)))?$/

/** Directives after which nothing is kept without asking again, as a shared cache reads them (§5.2.2). */
const never = ['no-store', 'no-cache', 'private']

/**
 * Seconds for which an answer holds from now on; undefined when it does not say.
 *
 * What contradicts itself or cannot be read counts as stale (§4.2.1): duplicates, malformed numbers,
 * directives with a wrong shape.
 */
export function toFreshSeconds(fields: CacheFields): number | undefined {
  const directives = parseDirectives(fields['cache-control'] ?? '')
  if (!directives || never.some((name) => directives.has(name))) return 0
  const limit = directives.get('s-maxage') ?? directives.get('max-age')
  if (limit !== undefined) return subtractAge(parseSeconds(limit) ?? 0, fields)
  if (fields.expires === undefined) return undefined
  const lifetime = (Date.parse(fields.expires) - Date.parse(fields.date ?? '')) / 1000
  return subtractAge(Number.isFinite(lifetime) ? Math.floor(lifetime) : 0, fields)
}

/** For how long an answer may hold, whatever its server says, and for how long where it does not say. */
export interface FreshLimits {
  readonly leastSeconds: number
  readonly mostSeconds: number
  readonly usualSeconds: number
}

/** Seconds for which an answer is kept whose server said this, or nothing (CM-18). */
export function toKeptSeconds(said: number | undefined, limits: FreshLimits): number {
  const { leastSeconds, mostSeconds, usualSeconds } = limits
  return Math.min(Math.max(said ?? usualSeconds, leastSeconds), mostSeconds)
}

/** Directives by lower-case name; undefined when one comes twice or has no shape. */
function parseDirectives(text: string): Map<string, string> | undefined {
  const found = new Map<string, string>()
  for (const part of splitList(text)) {
    const [, name, quoted, plain] = directive.exec(part) ?? []
    const key = name?.toLowerCase()
    if (key === undefined || found.has(key)) return undefined
    found.set(key, quoted ?? plain ?? '')
  }
  return found
}

function splitList(text: string): string[] {
  const parts = text.match(/(?:"[^"]*"|[^,"])+/g) ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

function parseSeconds(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined
}

function subtractAge(seconds: number, { age }: CacheFields): number {
  if (age === undefined) return Math.max(0, seconds)
  const spent = parseSeconds(age)
  return spent === undefined ? 0 : Math.max(0, seconds - spent)
}
