/** Refreshing asks the provider too, where it is configured to: who may no longer enter is out (X2, R4). */
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/storage/memory.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { startTestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { postForm, refresh, registerClient } from '../helpers/oauth-client.ts'
import { startSite } from '../helpers/site.ts'
import { startCustodySite } from './custody-site.ts'

describe('reverifySeconds', () => {
  it('ends every grant of somebody who may no longer enter, at the first refresh after it is due', async () => {
    const site = await startCustodySite({ reverifySeconds: 600 })
    const [one, two] = [await site.connect(), await site.connect()]
    site.provider.mayEnter = false
    site.clock.advance(600)
    expect((await one.refresh()).status).toBe(200)
    expect(site.provider.seen.ask).toBe(0)
    site.clock.advance(1)
    const refused = await one.refresh()
    expect(refused.status).toBe(400)
    expect(refused.body.error).toBe('invalid_grant')
    expect((await two.refresh()).body.error).toBe('invalid_grant')
    expect((await site.call(two.accessToken)).status).toBe(401)
    expect(site.provider.seen.ask).toBe(1)
    expect(site.audit).toContainEqual(
      expect.objectContaining({ event: 'grant.ended', reason: 'not_admitted' }),
    )
    expect(site.audit).toContainEqual(
      expect.objectContaining({ event: 'token.refused', reason: 'upstream_not_admitted' }),
    )
    await expect.poll(() => site.provider.revoked.length).toBe(1)
  })

  it('is 503 while the provider cannot be asked, and rotates nothing', async () => {
    const site = await startCustodySite({ reverifySeconds: 600 })
    const { refreshToken } = await site.connect()
    site.clock.advance(601)
    site.provider.fail('ask', 'before', 'before')
    const busy = await refresh(site.send, site.client, refreshToken)
    expect(busy.status).toBe(503)
    expect(busy.body.error).toBe('temporarily_unavailable')
    expect(busy.headers.get('retry-after')).toBe('2')
    site.clock.advance(5)
    expect((await refresh(site.send, site.client, refreshToken)).status).toBe(200)
  })

  it('asks for a new sign-in when there is no token left to ask with', async () => {
    const site = await startCustodySite({ reverifySeconds: 600, gives: false })
    const connected = await site.connect()
    site.clock.advance(601)
    expect((await connected.refresh()).body.error).toBe('invalid_grant')
    expect(site.audit).toContainEqual(
      expect.objectContaining({ event: 'token.refused', reason: 'upstream_unverifiable' }),
    )
    expect((await site.connect()).code.status).toBe(200)
  })

  it('holds for a code too: a session that is older asks first', async () => {
    const site = await startCustodySite({ reverifySeconds: 600 })
    const browser = site.browser()
    await site.walk(browser, 'client')
    site.clock.advance(601)
    site.provider.mayEnter = false
    const back = await site.walk(browser, 'client')
    const { status, body } = await postForm(site.send, '/token', {
      grant_type: 'authorization_code',
      client_id: site.client.client_id,
      code: back.url.searchParams.get('code') ?? '',
      code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    })
    expect([status, body.error]).toEqual([400, 'invalid_grant'])
  })

  it('is not spent on who only guesses a refresh token', async () => {
    const site = await startCustodySite({ reverifySeconds: 600 })
    const { refreshToken } = await site.connect()
    site.clock.advance(601)
    const guessed = `${refreshToken.slice(0, 27)}${'A'.repeat(43)}${refreshToken.slice(70)}`
    expect((await refresh(site.send, site.client, guessed)).status).toBe(400)
    expect(site.provider.seen.ask).toBe(0)
  })

  it('refuses less than a minute', async () => {
    await expect(startTestGatehouse({ reverifySeconds: 59 })).rejects.toBeInstanceOf(TypeError)
  })
})

describe('lifetimeFollowsUpstream', () => {
  it('gives no token that outlives the provider, at redemption and refresh (H10)', async () => {
    const site = await startCustodySite({ lifetimeFollowsUpstream: true })
    site.provider.lifetimeSeconds = 900
    const connected = await site.connect()
    expect(connected.code.body.expires_in).toBe(900)
    site.clock.advance(300)
    expect((await connected.refresh()).body.expires_in).toBe(600)
    site.clock.advance(600)
    expect((await connected.refresh()).body.expires_in).toBe(900)
    expect(site.provider.seen.refresh).toBe(1)
    site.provider.forget()
    site.clock.advance(900)
    expect((await connected.refresh()).body.error).toBe('invalid_grant')
  })

  it('leaves ours alone where tokens never expire, as those of a GitHub OAuth App', async () => {
    const site = await startCustodySite({ lifetimeFollowsUpstream: true })
    site.provider.lifetimeSeconds = undefined
    const connected = await site.connect()
    expect(connected.code.body.expires_in).toBe(3600)
    site.clock.advance(3600)
    expect((await connected.refresh()).body.expires_in).toBe(3600)
  })

  it('leaves ours alone where the provider gives longer, or it is not asked for', async () => {
    const long = await startCustodySite({ lifetimeFollowsUpstream: true })
    long.provider.lifetimeSeconds = 86_400
    expect((await long.connect()).code.body.expires_in).toBe(3600)
    const off = await startCustodySite()
    off.provider.lifetimeSeconds = 900
    expect((await off.connect()).code.body.expires_in).toBe(3600)
  })
})

describe('a provider that was switched off', () => {
  it('stops the refreshes of its people, and gives them back when it is back (UP-12)', async () => {
    const clock = testClock()
    const store = memoryStore({ clock })
    const site = await startCustodySite({ store })
    const { refreshToken } = await site.connect()
    const without = await startSite({ store, clock: site.clock, localSignIn: true })
    const refused = await refresh(without.send, site.client, refreshToken)
    expect(refused.body.error).toBe('invalid_grant')
    expect(without.audit).toContainEqual(
      expect.objectContaining({ event: 'token.refused', reason: 'upstream_gone' }),
    )
    expect((await refresh(site.send, site.client, refreshToken)).status).toBe(200)
    await without.close()
  })
})

describe('revocation', () => {
  it('of the last app reaches the provider in the background (X6)', async () => {
    const site = await startCustodySite()
    const { refreshToken } = await site.connect()
    const answer = await postForm(site.send, '/revoke', {
      client_id: site.client.client_id,
      token: refreshToken,
    })
    expect(answer.status).toBe(200)
    await expect.poll(() => site.provider.revoked.length).toBe(1)
    await expect.poll(() => site.audit.some(({ event }) => event === 'upstream.revoked')).toBe(true)
    expect(await upstreamRevocations.list(site.gatehouse.context.store)).toEqual([])
  })

  it('of one of two apps does not', async () => {
    const site = await startCustodySite({ backend: { forward: 'upstream-token' } })
    const one = await site.connect()
    const other = await site.connect(await registerClient(site.send))
    await postForm(site.send, '/revoke', {
      client_id: site.client.client_id,
      token: one.refreshToken,
    })
    expect((await site.call(other.accessToken)).status).toBe(200)
    expect(site.provider.seen.revoke).toBe(0)
  })
})
