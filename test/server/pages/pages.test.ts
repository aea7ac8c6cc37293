import { describe, expect, it } from 'vitest'
import { toResponse } from '../../../src/platform/web-exchange.ts'
import { type ErrorView, renderErrorPage } from '../../../src/server/pages/error.ts'
import { describeError, errorTexts } from '../../../src/server/pages/error-texts.ts'
import { renderHomePage } from '../../../src/server/pages/home.ts'
import { renderNoticePage } from '../../../src/server/pages/notice.ts'
import { renderSetupPage } from '../../../src/server/pages/setup.ts'
import { renderSignInPage } from '../../../src/server/pages/sign-in.ts'

const siteName = 'Field Notes'
const form = { action: '/sign-in', flow: 'f1', csrf: 'c1' }
const leaves = (response: Response): boolean =>
  !response.headers.get('content-security-policy')?.includes('form-action')

describe('the sign-in page', () => {
  it('lets password managers and paste work', async () => {
    const page = await toResponse(
      renderSignInPage({ siteName, local: true, upstreams: [], form }),
    ).text()
    expect(page).toMatch(/<input id="email" name="email" type="email" autocomplete="username"/)
    expect(page).toMatch(/name="password" type="password" autocomplete="current-password"/)
    expect(page).not.toMatch(/name="upstream"|autocomplete="off"/)
  })

  it('offers providers by id and may leave the site (CN-10)', async () => {
    const upstreams = [{ id: 'github', label: 'GitHub' }]
    const response = toResponse(renderSignInPage({ siteName, local: false, upstreams, form }))
    expect(leaves(response)).toBe(true)
    const page = await response.text()
    expect(page).toContain('name="upstream" value="github">Continue with GitHub</button>')
    expect(page).not.toContain('type="password"')
  })

  it('says what was wrong, keeps the login and never the password', async () => {
    const view = {
      siteName,
      local: true,
      upstreams: [],
      login: 'a@b.example',
      error: 'Wrong',
      form,
    }
    const response = toResponse(renderSignInPage(view, 401))
    expect(response.status).toBe(401)
    const page = await response.text()
    expect(page).toContain('role="alert">Wrong.</p>')
    expect(page).toContain('value="a@b.example"')
    expect(page).toMatch(/type="password"[^>]* aria-invalid="true">/)
  })

  it('can be cancelled, and every form carries the flow and its token (CN-05)', async () => {
    const upstreams = [{ id: 'github', label: 'GitHub' }]
    const page = await toResponse(
      renderSignInPage({ siteName, local: true, upstreams, form }),
    ).text()
    expect(page).toContain('name="decision" value="deny">Cancel</button>')
    expect(page.match(/<form/g)).toHaveLength(3)
    expect(page.match(/name="flow" value="f1"/g)).toHaveLength(3)
    expect(page.match(/name="csrf" value="c1"/g)).toHaveLength(3)
  })
})

describe('the set-up page', () => {
  it('asks for an e-mail address and a new password, and stays on the site', async () => {
    const response = toResponse(
      renderSetupPage({
        siteName,
        form: { action: '/setup', token: 't1', csrf: 'c1' },
      }),
    )
    expect(leaves(response)).toBe(false)
    const page = await response.text()
    expect(page).toContain('<input type="hidden" name="token" value="t1">')
    expect(page).toMatch(/autocomplete="new-password"[^>]* minlength="10"/)
  })
})

describe('the home page', () => {
  const render = (name: string, url: string) =>
    toResponse(
      renderHomePage({ siteName, issuer: 'https://n.example', servers: [{ name, url }] }),
    ).text()

  it('gives the address and the way for each well-known app', async () => {
    const page = await render(siteName, 'https://n.example/mcp')
    expect(page).toContain('claude mcp add --transport http field-notes https://n.example/mcp')
    expect(page).toContain('codex mcp add field-notes --url https://n.example/mcp')
    expect(page).toContain('code --add-mcp &#39;{&quot;name&quot;:&quot;field-notes&quot;')
    for (const app of ['ChatGPT', 'Claude', 'Cursor']) expect(page).toContain(`>${app}</summary>`)
    expect(page).not.toContain('tunnel')
  })

  it('puts no name into a command that a shell would read something into', async () => {
    const page = await render("x'; rm -rf ~ #$(id)", 'https://n.example/mcp')
    expect(page).toContain('claude mcp add --transport http x-rm-rf-id https://n.example/mcp')
  })

  it('says that hosted apps cannot reach this computer', async () => {
    expect(await render(siteName, 'http://localhost:8787/mcp')).toContain('put a tunnel in front')
  })
})

describe('links', () => {
  const render = (href: string) =>
    toResponse(
      renderNoticePage({ siteName, title: 'T', paragraphs: [], link: { href, text: 'On' } }),
    ).text()

  it.each([
    'javascript:alert(1)',
    ' JaVa\tScript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///x',
    'http://',
  ])('are not made of %j (RD-10)', async (href) => expect(await render(href)).not.toContain('<a '))

  it.each([
    '/',
    '/consent?flow=1',
    'https://a.example/cb?x=1',
    'cursor://a.b/cb',
    'http://127.0.0.1:1/',
  ])('are made of %j', async (href) => expect(await render(href)).toContain(`href="${href}"`))
})

describe('the error page', () => {
  const view: ErrorView = {
    siteName,
    status: 400,
    code: 'invalid_client',
    requestId: 'r1',
    ...describeError('unknown_client', 'invalid_client', 'Unregistered client_id=mcp_<b>'),
  }

  it('says what an unknown client is and what to do (H8)', async () => {
    const response = toResponse(renderErrorPage(view))
    expect(response.status).toBe(400)
    const page = await response.text()
    expect(page).toContain('<h1>Client Not Registered</h1>')
    expect(page).toContain('Unregistered client_id=mcp_&lt;b&gt;')
    expect(page).toContain('remove this connection and add it again')
    expect(page).toContain('r1')
  })

  it('keeps the words of the PKCE refusal on the page (S4)', async () => {
    const text = describeError('pkce_missing', 'invalid_request', undefined)
    const page = await toResponse(renderErrorPage({ ...view, ...text })).text()
    expect(page).toContain('PKCE code_challenge and code_challenge_method=S256 are required')
  })

  it('shows a way back that names its host and may leave the site (P2)', async () => {
    const link = { href: 'https://a.example/cb?error=x&state=y', text: 'Go back to a.example' }
    const response = toResponse(renderErrorPage({ ...view, link }, { 'retry-after': '2' }))
    expect(leaves(response)).toBe(true)
    expect(response.headers.get('retry-after')).toBe('2')
    expect(await response.text()).toContain('href="https://a.example/cb?error=x&amp;state=y"')
  })
})

describe('describeError', () => {
  it('finds words by reason, then by code, then for anything', () => {
    expect(describeError('other_browser', 'invalid_request', undefined)).toBe(
      errorTexts.other_browser,
    )
    expect(describeError('limit_sign_in', 'temporarily_unavailable', undefined).title).toBe(
      'Too many attempts',
    )
    expect(describeError('store_closed', 'temporarily_unavailable', undefined).message).toContain(
      'Nothing is lost',
    )
    expect(describeError('constructor', 'toString', undefined).title).toBe(
      'This request cannot be answered',
    )
  })

  it('keeps the public description as a detail', () => {
    expect(describeError(undefined, 'invalid_scope', 'No such scope').detail).toBe('No such scope')
  })

  it('speaks in sentences', () => {
    for (const [reason, text] of Object.entries(errorTexts)) {
      expect(text?.title, reason).toMatch(/^[A-Z].*[^.]$/)
      expect(text?.message, reason).toMatch(/^[A-Z].*\.$/)
      expect(text?.hint, reason).toMatch(/^[A-Z].*\.$/)
    }
  })
})
