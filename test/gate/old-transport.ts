/** HTTP+SSE by hand, both ends: a backend that speaks it and remembers, and the stream of a client. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { createEventReader } from '../../src/gate/backends/legacy/events.ts'
import { type RecordingBackend, startBackend } from './harness.ts'

/** The result of every request. */
export const answered = (id: unknown) => ({ jsonrpc: '2.0', id, result: { ok: true } })

/** Whether a backend takes a request; otherwise it answers 401. */
export type Accepts = (headers: IncomingMessage['headers']) => boolean

/** A server with its stream at `/sse`, on which it answers each request. */
export function startOldBackend(accepts: Accepts = () => true): Promise<RecordingBackend> {
  let stream: ServerResponse | undefined
  const take = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await text(incoming)
    if (!accepts(incoming.headers)) return outgoing.writeHead(401).end()
    if (incoming.method === 'GET') {
      stream = outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      return stream.write('event: endpoint\ndata: /messages\n\n')
    }
    outgoing.writeHead(202).end('Accepted')
    const { id } = JSON.parse(body) as { id?: unknown }
    return id !== undefined && stream?.write(`data: ${JSON.stringify(answered(id))}\n\n`)
  }
  return startBackend(toListener(take))
}

/** A server of Streamable HTTP that answers with JSON. */
export function startNewBackend(accepts: Accepts = () => true): Promise<RecordingBackend> {
  const take = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await text(incoming)
    if (!accepts(incoming.headers)) return outgoing.writeHead(401).end()
    if (incoming.method !== 'POST') return outgoing.writeHead(405).end()
    const { id } = JSON.parse(body) as { id?: unknown }
    if (id === undefined) return outgoing.writeHead(202).end()
    outgoing.writeHead(200, { 'content-type': 'application/json' })
    return outgoing.end(JSON.stringify(answered(id)))
  }
  return startBackend(toListener(take))
}

function toListener(
  take: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<unknown>,
): RequestListener {
  return (incoming, outgoing) => void take(incoming, outgoing)
}

/** The data of the events of an answer, one by one; undefined at its end. */
export function readEventData(response: Response) {
  const reader = response.body?.getReader()
  const read = createEventReader()
  const events: ReturnType<typeof read> = []
  return async (): Promise<string | undefined> => {
    while (events.length === 0) {
      const { done, value } = (await reader?.read()) ?? { done: true }
      if (done || !value) return undefined
      events.push(...read(value))
    }
    return events.shift()?.data
  }
}
