/**
 * Reading a small JSON document from an address that a stranger chose, without being led anywhere else
 * (Client ID Metadata Document draft -01 §6.5, catalogue CM-03 to CM-11).
 *
 * The name is resolved once, every answer must be a public address, and the connection goes to an address
 * that was checked, under the name's own certificate: whatever DNS says afterwards changes nothing. One
 * deadline holds over all of it. Nothing is followed, decompressed or sent through a proxy of the environment.
 */
import { Resolver } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { toFreshSeconds } from './freshness.ts'
import { isPublicAddress } from './special-use.ts'

/** A document as its server gave it. */
export interface FetchedDocument {
  readonly text: string
  /** For how long its server says that it holds, in seconds (RFC 9111). Absent: it does not say. */
  readonly freshSeconds?: number | undefined
}

/** Why there is none, for the log alone: what a stranger's URL led to is nobody else's business. */
export interface FetchProblem {
  readonly problem:
    | 'url'
    | 'name'
    | 'address'
    | 'connection'
    | 'deadline'
    | 'status'
    | 'type'
    | 'encoding'
    | 'size'
    | 'body'
    | 'limit'
  readonly detail?: string | undefined
}

/**
 * Reads the document at an https URL, and never fails.
 *
 * An embedder may hand in one of its own, for machines without internet or behind a proxy; it must keep the
 * promises above.
 */
export type FetchDocument = (url: string) => Promise<FetchedDocument | FetchProblem>

/** What tests change, so that a server on this machine can play the internet. */
export interface PinnedFetchOptions {
  /** The addresses of a name. Default: DNS, A and AAAA. */
  readonly resolve?: (name: string, signal: AbortSignal) => Promise<readonly string[]>
  /** Default: {@link isPublicAddress}. */
  readonly isAllowed?: (address: string) => boolean
  /** Certificates that are trusted in place of the machine's. */
  readonly ca?: string
  /** Longest body, in bytes. Default: 5 KiB (draft -01 §6.6). */
  readonly limitBytes?: number
  /** For name, connection, header and body together. Default 5. */
  readonly deadlineSeconds?: number
}

/** Addresses of one name that are tried when others do not answer. */
const addressesTried = 3

/** A DNS name of two or more labels, in the form that browsers show; never an address, and without a dot at its end. */
const dnsName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9-]{2,63}$/

/** A server, and what is asked of it. */
interface Target {
  readonly url: URL
  readonly port: number
}

/** Builds the reader. */
export function createPinnedFetch(options: PinnedFetchOptions = {}): FetchDocument {
  const { deadlineSeconds = 5 } = options
  return async (url) => {
    const target = parseTarget(url)
    if (!target) return { problem: 'url' }
    const signal = AbortSignal.timeout(deadlineSeconds * 1000)
    const outcome = await readTarget(target, signal, options).catch(
      (error: unknown): FetchProblem => ({ problem: 'connection', detail: String(error) }),
    )
    return signal.aborted && 'problem' in outcome ? { problem: 'deadline' } : outcome
  }
}

/**
 * Only https, only names, and no port below 1024 but 443: what else listens there speaks something else,
 * and is none of a stranger's business.
 */
function parseTarget(text: string): Target | undefined {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || !dnsName.test(url.hostname)) return undefined
  const port = url.port === '' ? 443 : Number(url.port)
  const isPlain = url.username === '' && url.password === '' && (port === 443 || port >= 1024)
  return isPlain ? { url, port } : undefined
}

async function readTarget(
  target: Target,
  signal: AbortSignal,
  options: PinnedFetchOptions,
): Promise<FetchedDocument | FetchProblem> {
  const { resolve = resolveName, isAllowed = isPublicAddress, limitBytes = 5 * 1024 } = options
  const addresses = await until(signal, resolve(target.url.hostname, signal))
  if (addresses.length === 0) return { problem: 'name' }
  const refused = addresses.filter((address) => !isAllowed(address))
  if (refused.length > 0) return { problem: 'address', detail: refused.join(' ') }
  const response = await connect(target, addresses, { signal, ca: options.ca })
  try {
    return await readAnswer(response, limitBytes)
  } finally {
    response.destroy()
  }
}

/** A and AAAA of a name; a kind without an answer counts as empty. */
async function resolveName(name: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver()
  signal.addEventListener('abort', () => resolver.cancel(), { once: true })
  const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}

/** The result of something that cannot be stopped, or the end of waiting for it. */
async function until<T>(signal: AbortSignal, running: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([running, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** IPv4 first: many servers have no IPv6, and nothing tells but the silence. */
async function connect(
  target: Target,
  addresses: readonly string[],
  wishes: Pick<RequestOptions, 'signal' | 'ca'>,
): Promise<IncomingMessage> {
  const ordered = addresses.toSorted((a, b) => Number(a.includes(':')) - Number(b.includes(':')))
  const tried = ordered.slice(0, addressesTried)
  let failure: unknown
  for (const address of tried) {
    try {
      return await ask(target, { ...wishes, host: address })
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function ask({ url, port }: Target, wishes: RequestOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  // An agent of its own: the shared one may have been told to use the proxy of the environment (CM-23).
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 })
  const outgoing = request({
    ...wishes,
    agent,
    port,
    servername: url.hostname,
    path: url.pathname + url.search,
    maxHeaderSize: 16 * 1024,
    headers: {
      host: url.host,
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'mcp-gatehouse',
    },
  })
  outgoing.once('response', resolve)
  outgoing.on('error', reject)
  outgoing.end()
  return promise
}

async function readAnswer(
  response: IncomingMessage,
  limitBytes: number,
): Promise<FetchedDocument | FetchProblem> {
  const { statusCode, headers } = response
  const type = headers['content-type'] ?? 'none'
  if (statusCode !== 200) {
    const mitigated = headers['cf-mitigated'] === undefined ? '' : ' (a challenge page)'
    return { problem: 'status', detail: `${statusCode} ${type}${mitigated}` }
  }
  if (!/^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(type)) {
    return { problem: 'type', detail: type }
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') return { problem: 'encoding', detail: encoding }
  if (Number(headers['content-length'] ?? 0) > limitBytes) return { problem: 'size' }
  const bytes = await readBytes(response, limitBytes)
  if (!bytes) return { problem: 'size' }
  const text = decode(bytes)
  return text === undefined
    ? { problem: 'body', detail: 'not UTF-8' }
    : { text, freshSeconds: toFreshSeconds(headers) }
}

/** The body, as long as it stays within the limit. */
async function readBytes(body: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
