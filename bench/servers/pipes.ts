/** The least a Node proxy can do: no token, no header hygiene, no limits, no cancellation. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent } from 'undici'
import { listenOnLoopback } from './bare.ts'
import type { Started } from './protocol.ts'

/** A proxy out of `node:http` alone: two pipes. */
export function startHttpPipe(backend: string): Promise<Started> {
  const agent = new HttpAgent({ keepAlive: true })
  return listenOnLoopback((incoming, outgoing) => {
    const { method, headers } = incoming
    const onward = httpRequest(backend, { agent, ...(method && { method }), headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
}

/** A proxy out of undici alone, which is what the gate stands on: one dispatch, bytes written through. */
export function startUndiciPipe(backend: string): Promise<Started> {
  const agent = new Agent({ bodyTimeout: 0 })
  const { origin, pathname } = new URL(backend)
  return listenOnLoopback((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const headers = { 'content-type': incoming.headers['content-type'] ?? '' }
      agent
        .stream(
          { origin, path: pathname, method: 'POST', headers, body: Buffer.concat(chunks) },
          ({ statusCode, headers: answered }) => {
            outgoing.writeHead(statusCode, answered)
            return outgoing
          },
        )
        .catch(() => outgoing.destroy())
    })
  })
}
