/** A change at one instance, or by a command, is known at the gate of every other one within a second. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotateDataKey } from '../../src/storage/sealed-rotation.ts'
import { revokeKey, rotateKey } from '../../src/tokens/key-rotation.ts'
import { runCommand } from '../cli/command.ts'
import { masterKey } from '../helpers/gatehouse.ts'
import { postForm, readClaims, refresh } from '../helpers/oauth-client.ts'
import { ada } from '../helpers/site.ts'
import { drivers, type Place, type Server } from './drivers.ts'
import { call, kidOf, letIn, refused, soon, startPair } from './pair.ts'

describe.each(drivers)('two instances on $name', ({ name, start, isMissing }) => {
  let server: Server
  beforeAll(async () => {
    if (!isMissing) server = await start()
  })
  afterAll(() => server?.stop())

  it.skipIf(isMissing)(
    'refuse a revoked grant: the one at once, the other within a second (HA-12, RV-04)',
    async () => {
      const { here, there, connect } = await startPair(server.create())
      const { client, accessToken, refreshToken } = await connect()
      expect(await call(there, accessToken)).toBe(letIn)
      await postForm(here.send, '/revoke', { client_id: client.client_id, token: refreshToken })
      expect(await call(here, accessToken)).toBe(refused)
      await expect.poll(() => call(there, accessToken), soon).toBe(refused)
    },
  )

  it.skipIf(isMissing)('refuse a revoked access token, and only that (RV-04)', async () => {
    const { here, there, connect } = await startPair(server.create())
    const { client, accessToken, refreshToken } = await connect()
    const next = await refresh(here.send, client, refreshToken)
    await postForm(here.send, '/revoke', { client_id: client.client_id, token: accessToken })
    await expect.poll(() => call(there, accessToken), soon).toBe(refused)
    expect(await call(there, next.body.access_token ?? '')).toBe(letIn)
  })

  it.skipIf(isMissing)('refuse the tokens of a removed user (RF-16, HA-12)', async () => {
    const { here, there, connect } = await startPair(server.create())
    const { accessToken } = await connect()
    await here.gatehouse.context.users.remove(here.ownerId)
    await expect.poll(() => call(here, accessToken), soon).toBe(refused)
    await expect.poll(() => call(there, accessToken), soon).toBe(refused)
  })

  it.skipIf(isMissing)('accept the first token of a new signing key at once (HA-12)', async () => {
    const { here, there, clock, connect } = await startPair(server.create())
    const { context } = here.gatehouse
    const made = await rotateKey(context, 'ES256', true)
    await expect.poll(() => context.keys.find(made?.kid ?? ''), soon).toBeDefined()
    clock.advance(10)
    const { accessToken } = await connect()
    expect(kidOf(accessToken)).toBe(made?.kid)
    expect(await call(there, accessToken)).toBe(letIn)
  })

  it.skipIf(isMissing)('refuse what a revoked key signed, and refresh with the next', async () => {
    const { here, there, connect } = await startPair(server.create())
    const { client, accessToken, refreshToken } = await connect()
    const forged = await here.gatehouse.context.keys.sign(
      { ...readClaims(accessToken), jti: 'forged', exp: 4_000_000_000 },
      'at+jwt',
    )
    for (const token of [accessToken, forged]) expect(await call(there, token)).toBe(letIn)
    await revokeKey(here.gatehouse.context, kidOf(accessToken), 'ES256')
    for (const token of [accessToken, forged]) {
      for (const instance of [here, there]) {
        await expect.poll(() => call(instance, token), soon).toBe(refused)
      }
    }
    const { body } = await refresh(there.send, client, refreshToken)
    expect(kidOf(body.access_token ?? '')).not.toBe(kidOf(accessToken))
    expect(await call(here, body.access_token ?? '')).toBe(letIn)
  })

  it.skipIf(isMissing)('seal with a new data key, which both have heard of before', async () => {
    const { here, there, clock } = await startPair(server.create())
    const made = await rotateDataKey({ ...here.gatehouse.context, masterKey })
    clock.advance(301)
    for (const { gatehouse } of [here, there]) {
      const { sealer } = gatehouse.context
      await expect.poll(() => sealer.seal('purpose', 'row', 'text'), soon).toContain(`v1.${made}.`)
    }
    const sealed = here.gatehouse.context.sealer.seal('purpose', 'row', 'text')
    expect(there.gatehouse.context.sealer.open('purpose', 'row', sealed)).toBe('text')
  })

  // No command reaches the memory of another process.
  if (name === 'memory') return
  it.skipIf(isMissing)(
    'know what a command changed within a second of its end (HA-12, RV-04)',
    async () => {
      const place = server.create()
      const { here, there, connect } = await startPair(place)
      const [first, second, third] = [await connect(), await connect(), await connect()]
      const verifyEnded = async (accessToken: string, ...command: string[]): Promise<void> => {
        const instances = [here, there]
        for (const instance of instances) expect(await call(instance, accessToken)).toBe(letIn)
        await run(place, ...command)
        for (const instance of instances) {
          await expect.poll(() => call(instance, accessToken), soon).toBe(refused)
        }
      }
      const { gid } = readClaims(first.accessToken)
      await verifyEnded(first.accessToken, 'grants', 'revoke', String(gid))
      await verifyEnded(second.accessToken, 'clients', 'remove', second.client.client_id)
      await verifyEnded(third.accessToken, 'keys', 'revoke', kidOf(third.accessToken))
      const { body } = await refresh(there.send, third.client, third.refreshToken)
      await verifyEnded(body.access_token ?? '', 'users', 'remove', ada.email)
    },
    60_000,
  )
})

async function run({ env }: Place, ...args: string[]): Promise<void> {
  const key = Buffer.from(masterKey).toString('base64')
  const ended = await runCommand(args, { env: { ...env, TOKEN_ENCRYPTION_KEY: key } })
  if (ended.code !== 0) throw new Error(`exit code ${ended.code}: ${ended.stderr}`)
}
