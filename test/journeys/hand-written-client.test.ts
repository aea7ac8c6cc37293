/** The whole journey with a hand-written client: registration, sign-in, consent, tokens, refresh, revocation. */
import { afterEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../helpers/browser.ts'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { authorizePath, redeem, refresh, registerClient } from '../helpers/oauth-client.ts'

let running: TestGatehouse | undefined
afterEach(() => running?.close())

describe('a person without a session', () => {
  it('approves, signs in, confirms, and the client gets tokens', async () => {
    running = await startTestGatehouse()
    const { gatehouse, send, issuer } = running
    await gatehouse.context.users.addLocal('ada@example.com', 'correct horse battery', 'owner')
    const client = await registerClient(send, {
      grant_types: ['authorization_code', 'refresh_token'],
    })

    const browser = createBrowser(issuer, gatehouse.fetch)
    const approve = await browser.open(issuer + authorizePath(client))
    expect(approve.status).toBe(200)
    const signIn = await browser.press(approve, 'decision', 'allow')
    expect(signIn.url.pathname).toBe('/sign-in')
    const confirm = await browser.press(signIn, '', '', {
      email: 'ada@example.com',
      password: 'correct horse battery',
    })
    expect(confirm.text).toContain('ada@example.com')
    const back = await browser.press(confirm, 'decision', 'allow')
    expect(back.url.origin).toBe('https://client.example')
    expect(back.url.searchParams.get('state')).toBe('state-123')
    expect(back.url.searchParams.get('iss')).toBe(issuer)

    const tokens = await redeem(send, client, back.url.searchParams.get('code') ?? '')
    expect(tokens.status).toBe(200)
    const again = await refresh(send, client, tokens.body.refresh_token)
    expect(again.status).toBe(200)
    const retried = await refresh(send, client, tokens.body.refresh_token)
    expect(retried.body.refresh_token).toBe(again.body.refresh_token)
  })
})
