/** What the audit log says of people who come through providers, and of what becomes of them there (R6, OP-04). */
import { afterEach, describe, expect, it } from 'vitest'
import { invite, parseGuest } from '../../src/identity/invitations.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import type { AuditEvent } from '../../src/platform/ports.ts'
import { annsUpstream } from '../helpers/instant-upstream.ts'
import { type Site, startSite, takeStep } from '../helpers/site.ts'
import { startCustodySite } from './custody-site.ts'

let site: Site | undefined
afterEach(() => site?.close())

async function start(options: Partial<Omit<GatehouseOptions, 'clock'>>): Promise<Site> {
  site = await startSite({ upstreams: [annsUpstream('one'), annsUpstream('two')], ...options })
  return site
}

async function comeFrom({ browser, authorizeUrl }: Site, id: string): Promise<void> {
  const person = browser()
  const choose = await takeStep(person, await person.open(authorizeUrl()))
  const confirm = await person.press(choose, 'upstream', id)
  expect(confirm.text).toContain('Confirm access')
}

const named = (events: readonly AuditEvent[], prefix: string) =>
  events.filter(({ event }) => event.startsWith(prefix))

describe('a user who came through a provider', () => {
  it('is added once, and signs in at that provider', async () => {
    const at = await start({})
    await comeFrom(at, 'one')
    await comeFrom(at, 'one')
    expect(named(at.audit, 'user.')).toEqual([
      expect.objectContaining({
        event: 'user.added',
        outcome: 'ok',
        userId: expect.stringMatching(/^[\w-]{22}$/),
        details: { upstream: 'one', role: 'user', invited: false },
      }),
    ])
    expect(named(at.audit, 'sign-in.')).toMatchObject([
      { event: 'sign-in.succeeded', details: { upstream: 'one' } },
      { event: 'sign-in.succeeded', details: { upstream: 'one' } },
    ])
  })

  it('used up an invitation', async () => {
    const at = await start({ invitedOnly: true })
    const terms = { role: 'owner', validSeconds: 60 } as const
    await invite(at.gatehouse.context, parseGuest('ann@example.com'), terms)
    await comeFrom(at, 'one')
    expect(named(at.audit, 'user.')).toMatchObject([
      { event: 'user.added', details: { upstream: 'one', role: 'owner', invited: true } },
    ])
  })

  it('is linked to another account of theirs', async () => {
    const at = await start({ linkByVerifiedEmail: true })
    await comeFrom(at, 'one')
    await comeFrom(at, 'two')
    await comeFrom(at, 'two')
    const [added, linked, ...others] = named(at.audit, 'user.')
    expect(others).toEqual([])
    expect(linked).toMatchObject({ event: 'user.linked', details: { upstream: 'two' } })
    expect(linked?.userId).toBe(added?.userId)
  })
})

describe('a provider that vouches for somebody no longer', () => {
  const upstream = 'rotating'

  it('is one line when the person may no longer enter', async () => {
    const house = await startCustodySite({ reverifySeconds: 60 })
    const connected = await house.connect()
    house.provider.mayEnter = false
    house.clock.advance(61)
    await connected.refresh()
    await connected.refresh()
    expect(named(house.audit, 'upstream.ended')).toEqual([
      expect.objectContaining({ reason: 'not_admitted', details: { upstream } }),
    ])
  })

  it('is one line when it refuses its tokens for good, whoever asks how often', async () => {
    const house = await startCustodySite({ backend: { forward: 'upstream-token' } })
    const { accessToken } = await house.connect()
    house.provider.forget()
    house.clock.advance(3590)
    await Promise.all([house.call(accessToken), house.call(accessToken)])
    await house.call(accessToken)
    expect(named(house.audit, 'upstream.ended')).toEqual([
      expect.objectContaining({ reason: 'tokens_refused', details: { upstream } }),
    ])
  })
})
