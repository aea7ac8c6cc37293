/**
 * The spellings of a resource URI. Backends resolve `..`, percent-encoding and case each in their own way,
 * so a URI is judged in every one, and needs what any of them needs.
 */
import { malformed } from './json-text.ts'
import { toComparable } from './pattern.ts'

/** How often percent-encoding may have been applied. */
const encodingsAllowed = 3

/**
 * Every spelling in which a backend could read the URI, each once, as patterns compare them.
 *
 * @throws OAuthError `invalid_request` for one that is encoded over and over, or hides a NUL, where some would end it
 */
export function toUriSpellings(uri: string): string[] {
  const layers = [uri]
  for (let next = toPlainer(uri); next !== layers.at(-1); next = toPlainer(next)) {
    if (layers.length > encodingsAllowed || next.includes('\0'))
      throw malformed('The resource is encoded in a way that hides what it is', 'uri_disguised')
    layers.push(next)
  }
  const slashed = layers.map((text) => text.replaceAll('\\', '/'))
  const all = [...layers, ...slashed.flatMap((text) => [text, toPath(text)].flatMap(toAllResolved))]
  return [...new Set(all.map(toComparable))]
}

/** `%2e` is `.`, and so is a letter of another width. */
function toPlainer(text: string): string {
  return decodePercents(text).normalize('NFKC')
}

/** Of a run that is no UTF-8 as a whole, the ASCII is decoded, as lenient decoders do; the rest stays. */
function decodePercents(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run.replace(/%[0-7][0-9a-f]/gi, decodeURIComponent)
    }
  })
}

/** The text for who takes all of it for a path: a `..` behind `?` or `#` leads upwards too. */
function toPath(text: string): string {
  if (!/^[^?#]*[?#].*\/\.\.(?:\/|$)/s.test(text)) return text
  return text.replaceAll('?', '%3f').replaceAll('#', '%23')
}

function toAllResolved(text: string): string[] {
  return [toResolved(text), toResolved(toThin(text))]
}

/** Doubled slashes of the path as one, as file systems read them; a URL parser resolves `..` against them. */
function toThin(text: string): string {
  const { start = '', path = '', rest = '' } = uriParts.exec(text)?.groups ?? {}
  return start + path.replace(/\/{2,}/g, '/') + rest
}

const uriParts = /^(?<start>[^/?#]*:\/\/)?(?<path>[^?#]*)(?<rest>.*)$/s

/** Dot segments resolved, without user information, and with the `//` that `file:/` leaves out. */
function toResolved(text: string): string {
  if (!URL.canParse(text)) return text
  const { protocol, host, pathname, search, hash, href } = new URL(text)
  const authority = href.slice(protocol.length).startsWith('//') ? `//${host}` : ''
  return protocol + authority + decodePercents(pathname + search + hash)
}
