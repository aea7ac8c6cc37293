import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { grants } from '../../src/storage/records/grant.ts'
import type { Store } from '../../src/storage/store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { type Registered, redeem, refresh } from '../helpers/oauth-client.ts'
import { startSite } from '../helpers/site.ts'

const clock = testClock()
const issuer = 'http://localhost:8787'
let store: Store
let client: Registered
let refreshToken: string | undefined
let withSignIn: TestGatehouse

/** Somebody connects an app while the server is open; then its owner turns sign-in on. */
beforeEach(async () => {
  store = memoryStore({ clock })
  const open = await startSite({ clock, store, issuer, noSignIn: true })
  const back = await open.walk(open.browser(), 'client')
  client = open.client
  const code = back.url.searchParams.get('code') ?? ''
  const { body } = await redeem(open.send, client, code)
  refreshToken = (await refresh(open.send, client, body.refresh_token)).body.refresh_token
  expect(refreshToken).toBeDefined()
  await open.close()
  withSignIn = await startTestGatehouse({ clock, store, issuer })
})
afterEach(async () => {
  await withSignIn.close()
  await store.close()
})

describe('after a time without sign-in', () => {
  it('the owner still gets the link that makes the first account (A7)', async () => {
    const link = await withSignIn.gatehouse.createSetupLink()
    expect(link).toMatch(/\/setup\?token=/)
    expect((await withSignIn.send(link ?? '')).status).toBe(200)
  })

  it('what was connected then is connected no longer: nobody stands behind it (A7, RF-16)', async () => {
    const refused = await refresh(withSignIn.send, client, refreshToken)
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(await grants.list(store)).toEqual([])
  })
})
