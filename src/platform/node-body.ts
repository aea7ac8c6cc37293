/** Request bodies read straight from a Node socket, counted while they are read (catalogue PX-15). */
import type { IncomingMessage } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { OAuthError } from '../errors.ts'
import { bodyCutShort, bodyTooLarge, smallBodyBytes } from './refusals.ts'

/**
 * The whole body.
 *
 * @throws OAuthError `invalid_request` with status 413 as soon as it is known to be longer than
 *   `limitBytes`, 400 when the client stops sending
 */
export function readBytes(incoming: IncomingMessage, limitBytes: number): Promise<Buffer> {
  if (readDeclaredLength(incoming) > limitBytes) return Promise.reject(bodyTooLarge(limitBytes))
  if (incoming.readableEnded || incoming.destroyed) return Promise.reject(bodyGone(incoming))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const settle = (error?: OAuthError) => {
      incoming.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError)
      if (!error) return resolve(Buffer.concat(chunks, length))
      incoming.pause()
      return reject(error)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > limitBytes) return settle(bodyTooLarge(limitBytes))
      chunks.push(chunk)
    }
    const onEnd = () => settle()
    const onError = (cause?: unknown) => settle(bodyCutShort(cause))
    incoming.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError)
  })
}

/**
 * The body to send on to a backend: nothing, all of it when it is small, otherwise a counted stream.
 *
 * The stream is never the message itself: whoever destroys that, as an HTTP client does with the body
 * of a failed request, also destroys the socket on which the client waits for our answer.
 */
export async function toRequestBody(
  incoming: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | Readable | null> {
  const isChunked = incoming.headers['transfer-encoding'] !== undefined
  const length = readDeclaredLength(incoming)
  if (length > limitBytes) throw bodyTooLarge(limitBytes)
  if (!isChunked && length === 0) return null
  if (!isChunked && length <= smallBodyBytes) return readBytes(incoming, limitBytes)
  return toCountedStream(incoming, limitBytes)
}

function toCountedStream(incoming: IncomingMessage, limitBytes: number): Readable {
  let length = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length
      if (length > limitBytes) return done(bodyTooLarge(limitBytes))
      return done(null, chunk)
    },
  })
  const stop = (cause?: unknown) => {
    if (!incoming.readableEnded) counted.destroy(bodyCutShort(cause))
  }
  // They stay as long as the message: one that breaks off later still needs a listener for its error.
  incoming.on('error', stop).on('close', stop)
  return incoming.pipe(counted)
}

function readDeclaredLength(incoming: IncomingMessage): number {
  return Number(incoming.headers['content-length'] ?? 0)
}

function bodyGone(incoming: IncomingMessage): OAuthError {
  if (!incoming.complete) return bodyCutShort()
  return new OAuthError('server_error', 'The server could not read the request', {
    reason: 'body_read_before_us',
  })
}
