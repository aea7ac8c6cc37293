/** A backend reached over HTTP+SSE, or through a bridge, refuses the provider's token: once more with another (X2). */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import { type CustodySite, startCustodySite } from '../server/custody-site.ts'
import { bearer, post } from './harness.ts'
import {
  type Accepts,
  answered,
  readEventData,
  startNewBackend,
  startOldBackend,
} from './old-transport.ts'

const ssePath = '/mcp/sse'
const youngSeconds = 60
const request = (id: number, method = 'tools/list') => ({ jsonrpc: '2.0', id, method })

/** A site in front of a backend that refuses every token that it had when `refuseAll` was called. */
async function start(options: BackendOptions) {
  const had = new Set<string>()
  let refused = new Set<string>()
  const accepts: Accepts = ({ authorization = '' }) => {
    had.add(authorization)
    return !refused.has(authorization)
  }
  const startBackend = options.transport === 'sse' ? startOldBackend : startNewBackend
  const backend = await startBackend(accepts)
  onTestFinished(() => backend.close())
  const to = `${backend.origin}/sse`
  const site = await startCustodySite({ backend: { forward: 'upstream-token', ...options, to } })
  const { accessToken } = await site.connect()
  const refuseAll = () => {
    refused = new Set(had)
    site.clock.advance(youngSeconds)
  }
  return { site, accessToken, refuseAll, tokens: had }
}

async function openStream({ send }: CustodySite, accessToken: string) {
  const answer = await send(ssePath, { headers: bearer(accessToken) })
  expect(answer.status).toBe(200)
  const next = readEventData(answer)
  const address = (await next()) ?? ''
  const say = (message: object) => send(address, post(message, bearer(accessToken)))
  return { say, hear: async () => JSON.parse((await next()) ?? '') as unknown }
}

describe.each(['sse', 'streamable-http'] as const)('an old client of a %s server', (transport) => {
  it('gets its answer, and the provider is asked once', async () => {
    const { site, accessToken, refuseAll, tokens } = await start({ transport, ssePath })
    const { say, hear } = await openStream(site, accessToken)
    await say(request(1))
    expect(await hear()).toEqual(answered(1))
    refuseAll()
    await say(request(2))
    expect(await hear()).toEqual(answered(2))
    expect([tokens.size, site.provider.seen.refresh]).toEqual([2, 1])
  })

  it('opens its stream', async () => {
    const { site, accessToken, refuseAll } = await start({ transport, ssePath })
    const first = await openStream(site, accessToken)
    await first.say(request(1))
    await first.hear()
    refuseAll()
    const { say, hear } = await openStream(site, accessToken)
    await say(request(2))
    expect(await hear()).toEqual(answered(2))
    expect(site.provider.seen.refresh).toBe(1)
  })
})

it('a client of today gets its answer from an old server, over the session that it has', async () => {
  const { site, accessToken, refuseAll } = await start({ transport: 'sse', ssePath })
  const say = (message: object, headers = {}) =>
    site.send(
      '/mcp',
      post(message, { accept: 'application/json', ...bearer(accessToken), ...headers }),
    )
  const begun = await say(request(0, 'initialize'))
  expect(await begun.json()).toEqual(answered(0))
  refuseAll()
  const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' }
  expect(await (await say(request(1), session)).json()).toEqual(answered(1))
  expect(site.provider.seen.refresh).toBe(1)
  refuseAll()
  expect(await (await say(request(2, 'initialize'))).json()).toEqual(answered(2))
})

it('a refused token that the provider calls dead is 401 for the client, with no other attempt', async () => {
  const { site, accessToken, refuseAll, tokens } = await start({ transport: 'sse', ssePath })
  const { say } = await openStream(site, accessToken)
  refuseAll()
  site.provider.forget()
  const { status } = await say(request(1))
  expect([status, tokens.size]).toEqual([401, 1])
})
