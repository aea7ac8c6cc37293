/**
 * What may stand in a log line: secrets masked by field name and by shape, errors made plain,
 * characters that could forge or hide a line written out (catalogue OP-03, DS-12).
 */
import { errorStatus, OAuthError } from '../errors.ts'
import type { LogFields } from '../platform/ports.ts'
import { writeOut, writeOutHidden } from '../platform/printable.ts'

/** Stands in the log where a secret was. */
export const redacted = '[redacted]'

/** Deeper values are cut off: nothing we log is nested further. */
const depthAllowed = 6
/** Longer lists and objects are cut off. */
const membersAllowed = 60
/** Longer texts are cut off, in UTF-16 units. A redirect URI has at most 2 048. */
const lengthAllowed = 4096

/** Field names, lower case without `-` and `_`, whose value is secret whatever it looks like. */
const secretNames = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'code',
  'codeverifier',
  'state',
  'nonce',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'admintoken',
  'assertion',
  'clientassertion',
  'clientsecret',
  'secret',
  'password',
  'masterkey',
  'tokenencryptionkey',
  'privatekey',
  'apikey',
  'xapikey',
])

/** `code=…`, `access_token=…` in a query or a form, and an `Authorization` value, inside any text. */
const secretParameter =
  /\b(code|code_verifier|state|token|access_token|refresh_token|id_token|client_secret|client_assertion|password)=[^&\s"'#]+/gi
const secretScheme = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi
/** Our own codes and tokens wherever they stand, by their shape: `ghc_…`, `ghr_…`, `gha_…` and JWTs. */
const ownToken = /\bgh[acr]_[\w-]{20,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g
/** Ids, addresses, sentences: without `=` there is no parameter, and the rest a token would begin with. */
const plain = /^[\w.:/,@+~ -]{0,512}$/
const tokenBegins = /gh[acr]_|eyJ|bearer|basic/i

/** Log fields without secrets, in plain JSON values. */
export function redact(fields: LogFields): Record<string, unknown> {
  return redactMembers(fields, 0)
}

/** A text without secrets and without characters that disturb a terminal. */
export function redactText(text: string): string {
  if (plain.test(text) && !tokenBegins.test(text)) return text
  const short = text.length > lengthAllowed ? `${text.slice(0, lengthAllowed)}…` : text
  const open = short
    .replace(secretParameter, `$1=${redacted}`)
    .replace(secretScheme, `$1 ${redacted}`)
    .replace(ownToken, redacted)
  return writeOutHidden(open)
}

/** A text from outside, fit for a terminal: control and invisible characters are written out. */
export function toPrintable(text: string): string {
  return writeOutHidden(text.replace(/[\u0000-\u001f]/g, writeOut))
}

function redactMembers(members: object, depth: number): Record<string, unknown> {
  const open: Record<string, unknown> = {}
  let count = 0
  for (const [name, value] of Object.entries(members)) {
    count += 1
    if (count > membersAllowed) break
    if (value === undefined) continue
    const known = knownNames.get(name) ?? readName(name)
    const masked = known.isSecret && isSecret(name, value)
    open[known.text] = masked ? redacted : redactValue(value, depth + 1)
  }
  return open
}

/** What a member's name says. */
interface MemberName {
  readonly text: string
  readonly isSecret: boolean
}

/** Nearly all names are words of our own code, and every line has ten of them. */
const knownNames = new Map<string, MemberName>()
const namesKnown = 500

function readName(name: string): MemberName {
  const isSecret = secretNames.has(name.toLowerCase().replaceAll(/[-_]/g, ''))
  const read = { text: redactText(name), isSecret }
  if (knownNames.size < namesKnown && name.length < 40) knownNames.set(name, read)
  return read
}

/** A `code` that is the word for an error is no authorization code. */
function isSecret(name: string, value: unknown): boolean {
  return !(name === 'code' && typeof value === 'string' && Object.hasOwn(errorStatus, value))
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
  if (typeof value !== 'object' || value === null) return value
  if (depth > depthAllowed) return '[…]'
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof URL) return redactText(value.href)
  if (value instanceof Headers) return redactMembers(Object.fromEntries(value), depth)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) {
    return value.slice(0, membersAllowed).map((member) => redactValue(member, depth + 1))
  }
  return redactMembers(value, depth)
}

/** `code` of an error is a machine word, not a secret, so it is logged under another name. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const word = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const open: Record<string, unknown> = {
    type: error.name,
    message: redactText(error.message),
    error_code: word === undefined ? undefined : redactText(word),
    reason: error instanceof OAuthError ? error.reason : undefined,
    stack: error.stack === undefined ? undefined : redactText(error.stack),
    cause: error.cause === undefined ? undefined : redactValue(error.cause, depth + 1),
  }
  return Object.fromEntries(Object.entries(open).filter(([, value]) => value !== undefined))
}
