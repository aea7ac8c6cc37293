/** Why there was no answer, in words for a person. */

/** Why there was no answer. */
export interface ProbeFailure {
  readonly kind:
    | 'name-not-found'
    | 'refused'
    | 'unreachable'
    | 'certificate'
    | 'tls'
    /** No connection came about in time. */
    | 'timeout'
    /** The connection was accepted, and no whole answer came in time. */
    | 'silent'
    | 'broken-answer'
    | 'not-sent'
  /** In plain words, without addresses of this machine. */
  readonly detail: string
}

const privateCode = 'PRIVATE_ADDRESS'
const silentHandshakeCode = 'SILENT_HANDSHAKE'
const noConnection = { kind: 'timeout', detail: 'no connection came about in time' } as const

/** By the machine's word for it. */
const byCode: Readonly<Record<string, ProbeFailure>> = {
  ENOTFOUND: { kind: 'name-not-found', detail: 'the name has no address in DNS' },
  EAI_AGAIN: { kind: 'name-not-found', detail: 'DNS gave no answer for the name' },
  ECONNREFUSED: { kind: 'refused', detail: 'nothing listens there: the connection was refused' },
  EHOSTUNREACH: { kind: 'unreachable', detail: 'no route leads to its address' },
  ENETUNREACH: { kind: 'unreachable', detail: 'no route leads to its network' },
  UND_ERR_CONNECT_TIMEOUT: noConnection,
  ETIMEDOUT: noConnection,
  [silentHandshakeCode]: {
    kind: 'silent',
    detail: 'the connection was accepted, and nothing answered the TLS handshake',
  },
  ECONNRESET: {
    kind: 'broken-answer',
    detail: 'the connection was cut before the answer was over',
  },
  EPIPE: { kind: 'broken-answer', detail: 'the connection was cut before the request was over' },
  UND_ERR_SOCKET: {
    kind: 'broken-answer',
    detail: 'the connection was closed before the answer was over',
  },
  UND_ERR_HEADERS_OVERFLOW: { kind: 'broken-answer', detail: 'the header is larger than 16 KiB' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: {
    kind: 'broken-answer',
    detail: 'the body is not as long as Content-Length says',
  },
  UND_ERR_INVALID_ARG: { kind: 'not-sent', detail: 'no request can be made for this address' },
  ERR_INVALID_URL: { kind: 'not-sent', detail: 'this is no address' },
  [privateCode]: {
    kind: 'not-sent',
    detail: 'it has an address that is not public, and a public checker visits public ones only',
  },
}

/** What is wrong with a certificate, by OpenSSL's and Node's word for it. */
const certificates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  CERT_REVOKED: 'the certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain ends in a certificate that nobody trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the chain is incomplete: an intermediate certificate is missing',
  UNABLE_TO_GET_ISSUER_CERT: 'the chain is incomplete: an intermediate certificate is missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no authority that is trusted has issued the certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  HOSTNAME_MISMATCH: 'the certificate is for another name',
}

/** The failure that an error stands for. A time that is over says more once it is known whether anybody was there. */
export function toProbeFailure(error: unknown, isConnected = false): ProbeFailure {
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError' || name === 'AbortError') {
    return isConnected
      ? { kind: 'silent', detail: 'the connection was accepted, and no whole answer came in time' }
      : noConnection
  }
  const code = findCode(error)
  const known = byCode[code]
  if (known !== undefined) return known
  const problem = findCertificateProblem(code)
  if (problem !== undefined) return { kind: 'certificate', detail: problem }
  if (/^(?:EPROTO|ERR_SSL|ERR_TLS)/.test(code)) {
    return { kind: 'tls', detail: 'the TLS handshake failed' }
  }
  if (code.startsWith('HPE_')) return { kind: 'broken-answer', detail: 'the answer is not HTTP' }
  return { kind: 'broken-answer', detail: `the request failed (${code || name || 'unknown'})` }
}

/** What is wrong with a certificate, in plain words; undefined for a code that is of something else. */
export function findCertificateProblem(code: string): string | undefined {
  const known = certificates[code]
  if (known !== undefined) return known
  return /CERT|CRL/.test(code) ? `the certificate is not trusted (${code})` : undefined
}

/** The error for a handshake that took too long. */
export function createLateHandshake(isAccepted: boolean): Error {
  const code = isAccepted ? silentHandshakeCode : 'ETIMEDOUT'
  return Object.assign(new Error('The handshake is slow'), { code })
}

/** The error for an address that a public checker does not visit. */
export function privateAddress(): Error {
  return Object.assign(new Error('Not a public address'), { code: privateCode })
}

/** The machine's word; of several attempts at once, that of the first. */
function findCode(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError) return findCode(error.errors[0])
  return error.cause === undefined ? '' : findCode(error.cause)
}
