/** HTTP Basic client authentication (RFC 6749 §2.3.1). */

/** Longest `Authorization` value we look at, in characters. */
const authorizationLengthAllowed = 8192

/** What a client says it is. */
export interface BasicCredentials {
  readonly id: string
  readonly secret: string
}

/**
 * Reads the candidates of a Basic `Authorization` header, the one as sent first.
 *
 * RFC 6749 has clients percent-encode id and secret: the Python and Rust SDKs do, the TypeScript SDK does
 * not. Both readings come back when they differ. The list is empty for another scheme and for Basic that
 * nobody can read, which the caller answers with `invalid_client`.
 */
export function parseBasic(header: string | null): BasicCredentials[] {
  const match = /^basic[ \t]+([A-Za-z0-9+/]+={0,2})[ \t]*$/i.exec(header ?? '')
  const text = decodeCredentials(match?.[1] ?? '')
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 1) return []
  const raw = { id: text.slice(0, colon), secret: text.slice(colon + 1) }
  const id = decodePart(raw.id)
  const secret = decodePart(raw.secret)
  if (id === undefined || secret === undefined) return [raw]
  return id === raw.id && secret === raw.secret ? [raw] : [raw, { id, secret }]
}

/** Base64 of UTF-8 without control characters; undefined for anything else. */
function decodeCredentials(base64: string): string | undefined {
  if (base64.length > authorizationLengthAllowed) return undefined
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return /\p{Cc}/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function decodePart(part: string): string | undefined {
  try {
    const text = decodeURIComponent(part.replaceAll('+', ' '))
    return text === '' || /\p{Cc}/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
