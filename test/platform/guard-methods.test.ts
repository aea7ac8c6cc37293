/** What the guard does with methods that a `Request` cannot have. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, it } from 'vitest'
import { guardNodeRequest } from '../../src/platform/adapters/node.ts'
import { sendRaw } from '../gate/harness.ts'

it('TRACE is refused, and does not fail the host (RS-09)', async () => {
  const guarding = { guard: async () => ({ auth: {}, headers: {} }) }
  const outcomes: unknown[] = []
  const server = createServer((incoming, outgoing) => {
    guardNodeRequest(guarding, { incoming, outgoing }).then(
      (auth) => outcomes.push(auth),
      (error: unknown) => {
        outcomes.push(error)
        outgoing.writeHead(500).end()
      },
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const answer = await sendRaw(
    port,
    'TRACE /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  )
  server.close()
  expect(answer).toMatch(/^HTTP\/1\.1 405 /)
  expect(outcomes).toEqual([undefined])
})
