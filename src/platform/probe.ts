/**
 * One request to a server that may be broken in any way, for the doctor: nothing is followed, repeated or
 * reused, every wait has an end, and whatever goes wrong is told instead of thrown.
 */
import { lookup as lookupName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher, request as requestOnce } from 'undici'
import { type ProbeFailure, privateAddress, toProbeFailure } from './probe-failure.ts'
import { isPublicAddress } from './special-use.ts'

/** A request. Header names are lower case. */
export interface ProbeRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer with all its secrets: to be masked before it is kept or shown. */
export interface ProbeAnswer {
  readonly status: number
  /** Names in lower case; several fields of a name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * The first 64 KiB as text; of an event stream that stays open, what had come when it fell silent, or when the
   * time was over. An answer to a POST is not silent before its first event.
   */
  readonly body: string
}

/** What came of a request: an answer, or a failure. */
export interface ProbeResult {
  readonly answer?: ProbeAnswer
  readonly failure?: ProbeFailure
  /** Milliseconds until the answer had come. */
  readonly milliseconds: number
}

/**
 * Sends one request, and never throws.
 *
 * With `anyCertificate` a certificate that Node does not trust is taken, too: for reading only, so it must
 * never carry a secret. `signal` ends the waiting.
 */
export type Send = (
  request: ProbeRequest,
  options?: { readonly anyCertificate?: boolean; readonly signal?: AbortSignal | undefined },
) => Promise<ProbeResult>

/** How requests are sent. */
export interface SendOptions {
  readonly userAgent: string
  /** For name, connection, header and body together. Default 10. */
  readonly deadlineSeconds?: number
  /** Refuses addresses that are not public. They are checked after resolution, and exactly those are used. */
  readonly isPublicOnly?: boolean
  /** Certificates that are trusted in place of the machine's, for tests. */
  readonly ca?: string
}

const bodyBytes = 65_536
/** For how long an event stream may be silent before it counts as one that stays open; a quarter of a short deadline. */
const quietMs = 1500

/** Makes the function that sends. It keeps no connection, so there is nothing to close. */
export function createSend(options: SendOptions): Send {
  return async (request, { anyCertificate = false, signal: stop } = {}) => {
    const startedAt = performance.now()
    const connection = { isOpen: false }
    const agent = createAgent(options, anyCertificate, connection)
    const deadlineMs = (options.deadlineSeconds ?? 10) * 1000
    const deadline = AbortSignal.timeout(deadlineMs)
    const signal = stop === undefined ? deadline : AbortSignal.any([deadline, stop])
    const result = await ask({ request, agent, connection, deadlineMs, signal, options })
    await agent.destroy()
    return { ...result, milliseconds: Math.round(performance.now() - startedAt) }
  }
}

/** Whether somebody took the connection, over https the handshake too. */
interface Connection {
  isOpen: boolean
}

function createAgent(
  { isPublicOnly, ca }: SendOptions,
  anyCertificate: boolean,
  connection: Connection,
): Agent {
  const connect = buildConnector({
    rejectUnauthorized: !anyCertificate,
    allowH2: false,
    ...(ca === undefined ? {} : { ca }),
    ...(isPublicOnly === true ? { lookup: lookUpPublic } : {}),
  })
  return new Agent({
    connect(target, callback) {
      connect(target, (...made) => {
        connection.isOpen = made[0] === null
        callback(...made)
      })
    },
    allowH2: false,
    bodyTimeout: 0,
    headersTimeout: 0,
  })
}

/** Everything that one request needs. */
interface Asking {
  readonly request: ProbeRequest
  readonly agent: Agent
  readonly connection: Connection
  readonly deadlineMs: number
  readonly signal: AbortSignal
  readonly options: SendOptions
}

async function ask(asking: Asking): Promise<Pick<ProbeResult, 'answer' | 'failure'>> {
  const { request, agent, signal, options } = asking
  try {
    if (options.isPublicOnly === true) verifyLiteral(new URL(request.url))
    const response = await requestOnce(request.url, {
      dispatcher: agent,
      method: request.method,
      headers: { 'user-agent': options.userAgent, ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal,
    })
    const headers = joinHeaders(response.headers)
    const isStream = headers['content-type']?.startsWith('text/event-stream') === true
    const body = await (isStream ? readStream(response.body, asking) : readBody(response.body))
    return { answer: { status: response.statusCode, headers, body } }
  } catch (error) {
    return { failure: toProbeFailure(error, asking.connection.isOpen) }
  }
}

/** A literal address is connected to without a look-up, so it is judged here. */
function verifyLiteral({ hostname }: URL): void {
  const bare = hostname.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0 && !isPublicAddress(bare)) throw privateAddress()
}

/** Looks a name up and hands out its addresses only when all of them are public. */
const lookUpPublic: LookupFunction = (hostname, options, callback) => {
  lookupName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, [])
    if (!addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(privateAddress(), [])
    }
    const [first] = addresses
    if (options.all === true) return callback(null, addresses)
    callback(null, first?.address ?? '', first?.family)
  })
}

function joinHeaders(raw: Dispatcher.ResponseData['headers']): Record<string, string> {
  const entries = Object.entries(raw).map(([name, value]) => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return Object.fromEntries(entries)
}

async function readBody(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  await readChunks(body, chunks)
  return toText(chunks)
}

/** Reads an event stream, which may stay open for ever: that is no failure. Comments count as silence. */
async function readStream(
  body: Dispatcher.ResponseData['body'],
  { request, deadlineMs, signal }: Asking,
): Promise<string> {
  const chunks: Buffer[] = []
  let quiet: NodeJS.Timeout | undefined
  const listen = (): void => {
    clearTimeout(quiet)
    quiet = setTimeout(() => body.destroy(silence), Math.min(quietMs, deadlineMs / 4))
  }
  if (request.method !== 'POST') listen()
  try {
    await readChunks(body, chunks, (chunk) => {
      if (/^data:/m.test(chunk)) listen()
    })
  } catch (error) {
    if (error !== silence && !signal.aborted) throw error
  } finally {
    clearTimeout(quiet)
  }
  return toText(chunks)
}

async function readChunks(
  body: Dispatcher.ResponseData['body'],
  chunks: Buffer[],
  onChunk?: (chunk: string) => void,
): Promise<void> {
  let size = 0
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    size += bytes.length
    if (size >= bodyBytes) break
    onChunk?.(bytes.toString('utf8'))
  }
}

function toText(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).subarray(0, bodyBytes).toString('utf8')
}

/** Ends the reading of a stream that has nothing more to say. */
const silence = new Error('The stream fell silent')
