/** The least a Node server can do: read the body, answer with bytes that were there before. */
import { createServer, type RequestListener } from 'node:http'
import type { FixedAnswer, Started } from './protocol.ts'

/** Starts it. */
export function startBare(answers: readonly FixedAnswer[]): Promise<Started> {
  const ready = answers.map(({ status, type, bytes }) => ({
    status,
    fields: { 'content-type': type, 'content-length': bytes },
    body: Buffer.alloc(bytes, 'x'),
  }))
  return listenOnLoopback((incoming, outgoing) => {
    const answer = ready[Number(incoming.url?.slice(1))]
    incoming.on('data', () => undefined)
    incoming.on('end', () => {
      if (!answer) return outgoing.writeHead(404).end()
      return outgoing.writeHead(answer.status, answer.fields).end(answer.body)
    })
  })
}

/** A `node:http` server on a free port of the loopback interface. */
export function listenOnLoopback(listener: RequestListener): Promise<Started> {
  const server = createServer({ keepAliveTimeout: 75_000 }, listener)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      resolve({ origin: `http://127.0.0.1:${port}`, sessions: [] })
    })
  })
}
