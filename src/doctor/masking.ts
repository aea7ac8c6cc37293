/**
 * What may stand in a report: requests and answers with their secrets replaced. Names of headers, parameters
 * and members stay, so that a colleague sees that there was one.
 */

/** Stands where a secret was. */
export const masked = '[masked]'

/** Names of parameters and members whose value is secret, lower case without `-` and `_`. */
const secretNames = new Set([
  'code',
  'codeverifier',
  'devicecode',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'idtokenhint',
  'subjecttoken',
  'registrationaccesstoken',
  'assertion',
  'clientassertion',
  'clientsecret',
  'secret',
  'password',
  'apikey',
  'xapikey',
  'authorization',
  'cookie',
  'setcookie',
])

/** Members of a private key (RFC 7518 §6), which a key set must not have. */
const privateKeyMembers = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])

const secretWords =
  'code|code_verifier|device_code|token|access_token|refresh_token|id_token|id_token_hint|subject_token|registration_access_token|assertion|client_assertion|client_secret|secret|password|api[_-]?key'
/** What else addresses call a key: `tavilyApiKey`, `subscription-key` of Azure, `sig` of signed addresses. */
const parameterWords = `${secretWords}|\\w{1,40}api[_-]?key|subscription-key|key|sig`
/** `code=…` in a query, a fragment or a form. */
const parameter = new RegExp(`(^|[?&#;\\s"'])(${parameterWords})=[^&\\s"'#<>;]+`, 'gi')
/** The same in an address that is a parameter itself: `resource=https%3A%2F%2F…%3Fcode%3D…`. */
const encodedParameter = new RegExp(
  `((?:%3F|%26|%23)(${parameterWords})%3D)((?:(?!%26|%23)[^&\\s"'#<>;])+)`,
  'gi',
)
/** `"access_token": "…"` in JSON that is cut or stands inside something else. */
const member = new RegExp(`("(?:${secretWords})"\\s*:\\s*")[^"]*`, 'gi')
/** Credentials in a text; `Bearer realm=…` is a challenge and has none. */
const scheme = /\b(Bearer|Basic|DPoP)\s+[\w.~+/-]{8,}=*(?![\w.~+/="-])/gi
const jsonWebToken = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g
/** A cookie as it is set. A comma may be the end of the field or stand in the value. */
const cookie = /(?<=^|,\s{0,9})([^=;,\s]+)=(?:[^;,]|,(?!\s*[^=;,\s]+=))*/g
const userInfo = /(\/\/)[^/?#@\s"'<>]+@/g

/** Masks what looks like a secret anywhere in a text: a URL, a form, a page. */
export function maskText(text: string): string {
  return text
    .replace(parameter, (whole, before: string, name: string) =>
      isWord(name, whole.slice(whole.indexOf('=') + 1)) ? whole : `${before}${name}=${masked}`,
    )
    .replace(encodedParameter, (whole, before: string, name: string, value: string) =>
      isWord(name, value) ? whole : `${before}${masked}`,
    )
    .replace(member, (whole, before: string) => {
      const name = before.slice(1, before.indexOf('"', 1))
      return isWord(name, whole.slice(before.length)) ? whole : `${before}${masked}`
    })
    .replace(scheme, `$1 ${masked}`)
    .replace(jsonWebToken, masked)
    .replace(userInfo, `$1${masked}@`)
}

/** Masks header values: credentials keep their scheme, cookies their names. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const open = Object.entries(headers).map(([name, value]) => [name, maskHeader(name, value)])
  return Object.fromEntries(open)
}

function maskHeader(name: string, value: string): string {
  if (/authorization$/i.test(name)) {
    const [kind, rest] = value.split(/\s+/, 2)
    return rest === undefined ? masked : `${kind ?? ''} ${masked}`
  }
  if (name === 'cookie') return value.replace(/=[^;]*/g, `=${masked}`)
  if (name === 'set-cookie') return value.replace(cookie, `$1=${masked}`)
  return secretNames.has(toPlainName(name)) ? masked : maskText(value)
}

/** A body, as text and parsed when it is JSON. Text without secrets stays as it came, byte by byte. */
export function maskBody(body: string): { readonly body: string; readonly json?: unknown } {
  const json = parseJson(body)
  if (json === undefined) return { body: maskText(body) }
  const open = maskValue(json)
  const isSame = JSON.stringify(open) === JSON.stringify(json)
  return { body: isSame ? body : JSON.stringify(open), json: open }
}

/** Nothing that clients read is nested deeper, and what reads a value goes down with it. */
const depthAllowed = 100

/** The value of a JSON text; undefined when it is none, or one that is nested without end. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isShallow(value, depthAllowed) ? value : undefined
  } catch {
    return undefined
  }
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((one) => isShallow(one, depth - 1))
}

function maskValue(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value)
  if (Array.isArray(value)) return value.map(maskValue)
  if (typeof value !== 'object' || value === null) return value
  const isKey = 'kty' in value
  const open = Object.entries(value).map(([name, one]: [string, unknown]) => {
    const isSecret =
      typeof one === 'string' &&
      ((isKey && privateKeyMembers.has(name)) ||
        (secretNames.has(toPlainName(name)) && !isWord(name, one)))
    return [name, isSecret ? masked : maskValue(one)]
  })
  return Object.fromEntries(open)
}

/** A `code` of lower-case words is the name of an error, not an authorization code. */
function isWord(name: string, value: string): boolean {
  return /^code$/i.test(name) && /^[a-z]{1,20}(?:[_-][a-z]{1,20}){0,5}$/.test(value)
}

function toPlainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}
