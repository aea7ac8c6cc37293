/** The least a Node server can do: read the body, answer with bytes that were there before. */
import { createServer, type RequestListener } from 'node:http'
import { type FixedAnswer, type Paths, type Started, usualPaths } from './protocol.ts'

/** Starts it. */
export function startBare(answers: readonly FixedAnswer[]): Promise<Started> {
  const ready = answers.map(({ status, headers, body }) => ({
    status,
    headers: [...headers, 'content-length', `${body.length}`],
    body: Buffer.from(body, 'latin1'),
  }))
  return listenOnLoopback((incoming, outgoing) => {
    const answer = ready[Number(incoming.url?.slice(1))]
    const reply = () => {
      if (!answer) return outgoing.writeHead(404).end()
      return outgoing.writeHead(answer.status, answer.headers).end(answer.body)
    }
    if (incoming.method !== 'GET') incoming.on('data', () => undefined).on('end', reply)
    else reply()
  })
}

/** A `node:http` server on a free port of the loopback interface. */
export function listenOnLoopback(
  listener: RequestListener,
  paths: Paths = usualPaths,
): Promise<Started> {
  const server = createServer({ keepAliveTimeout: 75_000 }, listener)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      resolve({ origin: `http://127.0.0.1:${port}`, paths, sessions: [] })
    })
  })
}
