/** What a program is told of its caller, and that it is never told anything that no longer holds. */
import { describe, expect, it } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import { type CustodySite, startCustodySite } from '../server/custody-site.ts'
import { bearer, post } from './harness.ts'
import { byHand, readResult, toolCall, toStateless } from './stdio-fixture.ts'

const env = {
  LOGIN: { caller: 'login' },
  MAIL: { caller: 'email' },
  TOKEN: { caller: 'upstream-token' },
} as const
const program: BackendOptions = { command: process.execPath, args: [byHand], env }

async function start() {
  const site = await startCustodySite({ backend: program })
  site.provider.lifetimeSeconds = 600
  return { site, ...(await site.connect()) }
}

async function openSession({ send }: CustodySite, accessToken: string) {
  const token = { ...bearer(accessToken), accept: 'application/json' }
  const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }
  const began = await send('/mcp', post(initialize, token))
  const headers = { ...token, 'mcp-session-id': began.headers.get('mcp-session-id') ?? '' }
  return { status: began.status, readEnv: () => send('/mcp', post(toolCall(1, 'env'), headers)) }
}

describe('a program', () => {
  it('gets the login, the address and the token of whom it runs for, and never ours (RS-07)', async () => {
    const { site, accessToken } = await start()
    const told = await readResult(await (await openSession(site, accessToken)).readEnv())
    expect(told).toMatchObject({
      LOGIN: 'ada',
      TOKEN: expect.stringMatching(/^upstream-access-token-1-/),
    })
    expect(told, 'nobody vouches for the address (UP-08)').not.toHaveProperty('MAIL')
    expect(JSON.stringify(told)).not.toContain(accessToken)
  })

  it('is over when the token is another one: the session is gone, and the next one has it', async () => {
    const { site, accessToken } = await start()
    const session = await openSession(site, accessToken)
    expect((await session.readEnv()).status).toBe(200)
    site.clock.advance(540)
    await expect.poll(async () => (await session.readEnv()).status).toBe(404)
    const told = await readResult(await (await openSession(site, accessToken)).readEnv())
    expect(told).toMatchObject({ TOKEN: expect.stringMatching(/^upstream-access-token-2-/) })
  })

  it('without sessions is followed by another one, of which the client notices nothing', async () => {
    const { site, accessToken } = await start()
    const ask = async () => {
      const request = { id: 1, method: 'tools/call', params: { name: 'env' } }
      return readResult(await site.send('/mcp', toStateless(request, bearer(accessToken))))
    }
    expect(await ask()).toMatchObject({ TOKEN: expect.stringMatching(/-token-1-/) })
    site.clock.advance(540)
    await expect.poll(ask).toMatchObject({ TOKEN: expect.stringMatching(/-token-2-/) })
  })

  it('is not started for whom there is no token: they are asked to sign in again', async () => {
    const { site, accessToken } = await start()
    site.provider.forget()
    site.clock.advance(3590)
    expect((await openSession(site, accessToken)).status).toBe(401)
    expect(site.log.lines.map(({ message }) => message)).not.toContain('A program was started')
  })

  it('waits for a provider that is down: 503, which costs no client its tokens (PX-10)', async () => {
    const { site, accessToken } = await start()
    await site.provider.close()
    site.clock.advance(3590)
    expect((await openSession(site, accessToken)).status).toBe(503)
  })
})
