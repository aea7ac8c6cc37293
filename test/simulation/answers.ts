/** What every answer must look like, whatever it says. */
import { Violation } from './model.ts'
import type { Answer, Process } from './world.ts'

/** The members that are looked at. */
export interface AnswerBody {
  readonly access_token?: unknown
  readonly refresh_token?: unknown
  readonly active?: unknown
  readonly error?: unknown
  readonly [member: string]: unknown
}

/** Reads a JSON answer and checks its shape; 5xx other than an explained 503 is a violation. */
export function readAnswer(answer: Answer): AnswerBody {
  const { status, text, record } = answer
  if (status >= 500) verifyFault(answer)
  const body = parseObject(answer)
  const expects = (holds: boolean, what: string): void => {
    if (!holds)
      throw new Violation('shape', `${record.name}: ${what}: ${status} ${text.slice(0, 300)}`)
  }
  if (status >= 400) {
    expects(typeof body.error === 'string', 'an error has a code')
    expects(typeof body.error_description === 'string', 'an error has a description')
    expects((status === 503) === (body.error === 'temporarily_unavailable'), '503 has its own code')
    expects(status !== 401 || body.error === 'invalid_client', '401 means the client')
  }
  if ('access_token' in body) verifyTokens(answer, body, expects)
  return body
}

function parseObject({ text, record, headers, status }: Answer): AnswerBody {
  try {
    if (!headers.get('content-type')?.startsWith('application/json'))
      throw new TypeError('not JSON')
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body }
  } catch {
    // Reported below, like any other value that is no object.
  }
  throw new Violation('shape', `${record.name}: no JSON object: ${status} ${text.slice(0, 300)}`)
}

function verifyTokens(
  { headers }: Answer,
  body: AnswerBody,
  expects: (holds: boolean, what: string) => void,
): void {
  expects(/^[\w-]+\.[\w-]+\.[\w-]+$/.test(String(body.access_token)), 'an access token is a JWT')
  expects(typeof body.refresh_token === 'string', 'a refresh token comes with it')
  expects(body.token_type === 'Bearer', 'its type is Bearer')
  expects(Number.isInteger(body.expires_in) && Number(body.expires_in) > 0, 'it lives for seconds')
  expects(typeof body.scope === 'string', 'its scope is told')
  expects(headers.get('cache-control') === 'no-store', 'nobody caches it')
}

/** A fault must be one: 503, `Retry-After`, and something that failed. */
export function verifyFault({ status, headers, text, record, process }: Answer): void {
  const what = `${record.name}: ${status} ${record.reason ?? ''}`
  if (status !== 503)
    throw new Violation('server-error', `${what} ${record.cause?.message ?? text.slice(0, 300)}`)
  if (!headers.get('retry-after')) throw new Violation('shape', `${what} without Retry-After`)
  if (!hadTrouble(process, record.reason)) {
    throw new Violation('unavailable-without-fault', what)
  }
}

/** Whether a process has a reason to be unavailable: its store failed it, its clock jumped, or it just started. */
function hadTrouble({ faults, jumped }: Process, reason: string | undefined): boolean {
  return faults > 0 || jumped || reason === 'revocations_unknown'
}
