import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toResponse } from '../../../src/platform/web-exchange.ts'
import { toClientLabel } from '../../../src/server/pages/client-label.ts'
import { type ConsentView, renderConsentPage } from '../../../src/server/pages/consent.ts'
import { consentView, hostileView, lookAlikeView, loopbackView } from './samples.ts'

const stages = ['approve', 'consent', 'confirm'] as const

/** What a person reads: the page without its head and its tags. */
async function readText(view: ConsentView): Promise<string> {
  const [, body = ''] = (await toResponse(renderConsentPage(view)).text()).split('</head>')
  return body
    .replace(/<(?!\/?(?:bdi|b|span)\b)[^>]*>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/[ \n]+/g, ' ')
}

describe('the consent page', () => {
  it.each(stages)(
    'says at %s who asks, for what, where it goes and lets deny (CN-12)',
    async (stage) => {
      const text = await readText({ ...consentView, stage })
      expect(text).toContain('ChatGPT (chatgpt.com)')
      expect(text).toContain('it is not verified')
      expect(text).toContain('Field Notes')
      expect(text).toContain('Where access goes chatgpt.com')
      expect(text).toContain('https://chatgpt.com/connector_platform_oauth_redirect')
      expect(text).toContain('Read your notes and search in them')
      expect(text).toContain('Deny')
      expect(text).toContain('stays connected')
    },
  )

  it.each(['consent', 'confirm'] as const)(
    'names the account at %s and offers another',
    async (stage) => {
      const text = await readText({ ...consentView, stage })
      expect(text).toContain('Signed in as Sam Rivera sam.rivera@example.org')
      expect(text).toContain('Use another account')
    },
  )

  it('says nothing of an account before the sign-in', async () => {
    const text = await readText({ ...consentView, stage: 'approve', user: undefined })
    expect(text).not.toMatch(/Signed in|another account/)
    expect(text).toContain('Continue You sign in next.')
  })

  it('posts flow, token, decision and the ticked scopes', async () => {
    const page = await toResponse(renderConsentPage(consentView)).text()
    expect(page).toContain('<form method="post" action="/consent">')
    expect(page).toContain('<input type="hidden" name="flow" value="flow-4f9c">')
    expect(page).toContain('<input type="hidden" name="csrf" value="csrf-77aa">')
    expect(page).toContain('type="checkbox" name="scope" value="notes:read" checked>')
    expect(page).toContain('type="checkbox" name="scope" value="account">')
    expect([...page.matchAll(/name="decision" value="(\w+)"/g)].map(([, value]) => value)).toEqual([
      'switch',
      'deny',
      'allow',
    ])
  })

  it('asks nothing again at confirm: the approved scopes are text', async () => {
    const page = await toResponse(renderConsentPage({ ...consentView, stage: 'confirm' })).text()
    expect(page).not.toContain('name="scope"')
    expect(page).toContain('<li>Read your notes and search in them</li>')
    expect(page).not.toContain('See your name and e-mail address')
  })

  it('offers to remember only when that is allowed, and never ticked (CN-21)', async () => {
    const offered = await toResponse(renderConsentPage(consentView)).text()
    expect(offered).toContain('<input id="remember" type="checkbox" name="remember" value="yes">')
    const loopback = await toResponse(
      renderConsentPage({ ...consentView, canRemember: false }),
    ).text()
    expect(loopback).not.toContain('name="remember"')
  })

  it('says in no-sign-in mode that everyone may do this, and decides at once (A7)', async () => {
    const text = await readText({ ...loopbackView, oneClick: true })
    expect(text).toContain(
      'No sign-in is set up here: everyone who uses this computer may do this.',
    )
    expect(text).toContain('Deny Allow')
    expect(text).not.toContain('You sign in next')
  })
})

describe('the warnings of the consent page (CN-12)', () => {
  it('is silent about a vouched client that was here before', async () => {
    const client = { ...consentView.client, vouched: true }
    const text = await readText({ ...consentView, client })
    expect(text).not.toMatch(/Before you go on|not verified/)
    expect(text).toContain('Connect ChatGPT to Field Notes?')
  })

  it.each(stages)('warns of a loopback address at %s (CN-21)', async (stage) => {
    const text = await readText({ ...loopbackView, stage })
    expect(text).toContain('Access goes to a program on this computer.')
    expect(text).toContain('Go on only if you just started this yourself.')
    expect(text).toContain('http://localhost:52817/callback')
  })

  it('warns of a private-use scheme and of a missing name', async () => {
    const uri = 'cursor://anysphere.cursor-mcp/oauth/callback'
    const redirect = { kind: 'private-use', host: 'cursor://anysphere.cursor-mcp', uri } as const
    const client = { ...loopbackView.client, name: undefined }
    const text = await readText({ ...loopbackView, redirect, client })
    expect(text).toContain('whichever app on this device answers to cursor://anysphere.cursor-mcp.')
    expect(text).toContain('It did not say what it is called.')
    expect(text).toContain('Connect an app without a name (on this device) to Field Notes?')
  })

  it('warns of a client that nobody has connected before', async () => {
    const client = { ...consentView.client, seenBefore: false }
    expect(await readText({ ...consentView, client })).toContain(
      'Nobody has connected this app to Field Notes before.',
    )
  })

  it.each(stages)(
    'unmasks a look-alike at %s and never heads the page with its name (CR-11)',
    async (stage) => {
      const page = await toResponse(renderConsentPage({ ...lookAlikeView, stage })).text()
      const [, heading = ''] = /<h1[^>]*>(.*?)<\/h1>/s.exec(page) ?? []
      expect(heading).toContain('connect.evil.example')
      expect(heading).not.toContain(lookAlikeView.client.name)
      const text = await readText({ ...lookAlikeView, stage })
      expect(text).toContain('This may not be ChatGPT')
      expect(text).toContain('but would send you to connect.evil.example.')
    },
  )
})

describe('hostile metadata on the consent page (CN-11, CR-11)', () => {
  it('is text everywhere', async () => {
    const page = await toResponse(renderConsentPage(hostileView)).text()
    expect(page).not.toMatch(/<script|<svg onload|<img|<i>|<b>bold|" onfocus/)
    expect(page).toContain('&lt;script&gt;alert(&#39;name&#39;)&lt;/script&gt;')
  })

  it('makes no link of a self-asserted website', async () => {
    expect(await toResponse(renderConsentPage(hostileView)).text()).not.toContain('<a ')
    expect(await toResponse(renderConsentPage(consentView)).text()).not.toContain('<a ')
  })

  it('adds and removes no element, whatever the name, scopes and addresses are', async () => {
    const hostile = fc.string({ unit: fc.constantFrom(...'<>"\'&/= axy\u05d0\u202e\n') })
    const countTags = async (view: ConsentView) => {
      const page = await toResponse(renderConsentPage(view)).text()
      return page.match(/<[^>]*>/g)?.length
    }
    const client = { ...consentView.client, name: 'x', uri: 'x' }
    const redirect = { ...consentView.redirect, host: 'x', uri: 'x' }
    const scopes = [{ name: 'x', description: 'x', checked: true }]
    const expected = await countTags({ ...consentView, client, redirect, scopes })
    const property = fc.asyncProperty(hostile, hostile, async (a, b) => {
      const view = {
        ...consentView,
        client: { ...client, name: a, uri: b },
        redirect: { ...redirect, host: a, uri: b },
        scopes: [{ name: b, description: a, checked: true }],
      }
      expect(await countTags(view)).toBe(expected)
    })
    await fc.assert(property, { numRuns: 500 })
  })

  it('isolates foreign text so that right-to-left names cannot reorder the line', async () => {
    const client = { ...consentView.client, name: 'מזכירה (evil.example)' }
    const page = await toResponse(renderConsentPage({ ...consentView, client })).text()
    expect(page).toContain('<bdi>מזכירה (evil.example)</bdi> <span class="where">(<bdi>chatgpt.com')
  })
})

describe('toClientLabel', () => {
  it('never gives an unvouched name without its destination (CR-11)', () => {
    const { client, redirect } = consentView
    expect(toClientLabel(client, redirect)).toBe('ChatGPT (chatgpt.com)')
    expect(toClientLabel({ ...client, vouched: true }, redirect)).toBe('ChatGPT')
    expect(toClientLabel(loopbackView.client, loopbackView.redirect)).toContain(
      '(on this computer)',
    )
    expect(toClientLabel(lookAlikeView.client, lookAlikeView.redirect)).toBe('connect.evil.example')
  })
})
