/** When nothing tells an instance of a change, it finds out by itself within the stated minute. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { rotateDataKey } from '../../src/storage/sealed-rotation.ts'
import { revokeKey } from '../../src/tokens/key-rotation.ts'
import { rereadSeconds } from '../../src/tokens/revocations.ts'
import { masterKey } from '../helpers/gatehouse.ts'
import { postForm } from '../helpers/oauth-client.ts'
import { drivers, type Server } from './drivers.ts'
import { call, deafen, kidOf, letIn, refused, soon, startPair } from './pair.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  return () => void vi.useRealTimers()
})

/** Lets the stated time pass for everything that is done again and again. */
async function passStaleness(): Promise<void> {
  await vi.advanceTimersByTimeAsync(rereadSeconds * 1000)
}

describe.each(drivers)('an instance that hears nothing, on $name', ({ start, isMissing }) => {
  let server: Server
  beforeAll(async () => {
    if (!isMissing) server = await start()
  })
  afterAll(() => server?.stop())

  it.skipIf(isMissing)('refuses an ended grant within the minute (HA-12)', async () => {
    const { here, there, connect } = await startPair(server.create(), deafen)
    const { client, accessToken, refreshToken } = await connect()
    await postForm(here.send, '/revoke', { client_id: client.client_id, token: refreshToken })
    expect(await call(there, accessToken)).toBe(letIn)
    await passStaleness()
    await expect.poll(() => call(there, accessToken), soon).toBe(refused)
  })

  it.skipIf(isMissing)('refuses what a revoked key signed within the minute', async () => {
    const { here, there, connect } = await startPair(server.create(), deafen)
    const { accessToken } = await connect()
    await revokeKey(here.gatehouse.context, kidOf(accessToken), 'ES256')
    expect(await call(there, accessToken)).toBe(letIn)
    await passStaleness()
    await expect.poll(() => call(there, accessToken), soon).toBe(refused)
  })

  it.skipIf(isMissing)('learns of a data key within the minute, before it seals', async () => {
    const { here, there, clock } = await startPair(server.create(), deafen)
    const made = await rotateDataKey({ ...here.gatehouse.context, masterKey })
    await passStaleness()
    clock.advance(301)
    const { sealer } = there.gatehouse.context
    await expect.poll(() => sealer.seal('purpose', 'row', 'text'), soon).toContain(`v1.${made}.`)
  })
})
