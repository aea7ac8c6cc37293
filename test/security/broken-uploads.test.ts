import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { authorizePath, redeem, registerClient } from '../helpers/oauth-client.ts'

/** A backend that reads whole messages before it answers. */
const backend = createServer((incoming, outgoing) => {
  incoming.on('error', () => undefined).resume()
  incoming.on('end', () => outgoing.end('{}'))
})

let live: Live
let accessToken: string
const uncaught: unknown[] = []
const keep = (error: unknown) => void uncaught.push(error)

beforeEach(async () => {
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  live = await startLive({ backendUrl: `http://127.0.0.1:${port}/mcp` })
  const send = (path: string, init?: RequestInit) => fetch(live.issuer + path, init)
  const client = await registerClient(send)
  const back = await approve(live.browser(), live.issuer + authorizePath(client))
  const tokens = await redeem(send, client, back.url.searchParams.get('code') ?? '')
  accessToken = tokens.body.access_token ?? ''
  uncaught.length = 0
  process.on('uncaughtException', keep)
})
afterEach(async () => {
  process.off('uncaughtException', keep)
  await live.close()
  await new Promise((resolve) => backend.close(resolve))
})

/** Sends the beginning of a message, waits until it is being passed on, and hangs up. */
async function hangUp(framing: string, body: string): Promise<void> {
  const passedOn = new Promise((resolve) => backend.once('request', resolve))
  const { port } = new URL(live.issuer)
  const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined)
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${accessToken}\r\n` +
      `Content-Type: application/json\r\n${framing}\r\n\r\n${body}`,
  )
  await passedOn
  const gone = new Promise((resolve) => socket.once('close', resolve))
  socket.destroy()
  await gone
}

describe('a client that hangs up in the middle of an upload', () => {
  it.each([
    ['in chunks', 'Transfer-Encoding: chunked', '5\r\n{'],
    ['of a length too great to be kept', 'Content-Length: 200000', '{'],
  ])('%s ends its own request and not the process (DS-01, PX-09)', async (_, framing, body) => {
    for (let count = 0; count < 5; count += 1) await hangUp(framing, body)
    for (let count = 0; count < 5; count += 1) {
      expect((await fetch(`${live.issuer}/healthz`)).status).toBe(200)
    }
    expect(uncaught).toEqual([])
  })
})
