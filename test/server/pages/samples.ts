import type { Answer } from '../../../src/platform/exchange.ts'
import { toResponse } from '../../../src/platform/web-exchange.ts'
/** Every page in every state worth looking at, with ordinary and with hostile content. */
import type { ConsentView } from '../../../src/server/pages/consent.ts'
import { renderConsentPage } from '../../../src/server/pages/consent.ts'
import { renderErrorPage } from '../../../src/server/pages/error.ts'
import { describeError } from '../../../src/server/pages/error-texts.ts'
import { renderHomePage } from '../../../src/server/pages/home.ts'
import { renderNoticePage } from '../../../src/server/pages/notice.ts'
import { type RefusedView, renderRefusedPage } from '../../../src/server/pages/refused.ts'
import { renderSetupPage } from '../../../src/server/pages/setup.ts'
import { renderSignInPage } from '../../../src/server/pages/sign-in.ts'

const siteName = 'Field Notes'
const form = { action: '/consent', flow: 'flow-4f9c', csrf: 'csrf-77aa' }
const setUpForm = { action: '/setup', token: 'setup-9d1e', csrf: 'csrf-77aa' }

/** ChatGPT, registered by itself, asking for three permissions while somebody is signed in. */
export const consentView: ConsentView = {
  stage: 'consent',
  siteName,
  client: {
    name: 'ChatGPT',
    id: 'mcp_6f1d2c3b4a5968778695a4b3c2d1e0ff',
    vouched: false,
    seenBefore: true,
    lookAlike: undefined,
    uri: 'https://chatgpt.com/',
  },
  redirect: {
    kind: 'https',
    host: 'chatgpt.com',
    uri: 'https://chatgpt.com/connector_platform_oauth_redirect',
    owner: 'ChatGPT',
  },
  scopes: [
    { name: 'notes:read', description: 'Read your notes and search in them', checked: true },
    { name: 'notes:write', description: 'Add notes and change existing ones', checked: true },
    { name: 'account', description: 'See your name and e-mail address', checked: false },
  ],
  staysConnected: true,
  user: { login: 'sam.rivera@example.org', name: 'Sam Rivera' },
  oneClick: false,
  canRemember: true,
  form,
}

/** A client that comes back for more. */
const stepUpView: ConsentView = {
  ...consentView,
  scopes: [
    { name: 'read', description: 'See plans and stores', checked: true, isNew: false },
    {
      name: 'account',
      description: 'Manage your account',
      checked: true,
      isNew: true,
      includes: ['See plans and stores', 'Change your plan'],
    },
  ],
}

/** A program on this computer that was never seen before. */
export const loopbackView: ConsentView = {
  ...consentView,
  stage: 'approve',
  user: undefined,
  canRemember: false,
  client: {
    name: 'Claude Code (notes)',
    id: 'mcp_00112233445566778899aabbccddeeff',
    vouched: false,
    seenBefore: false,
    lookAlike: undefined,
  },
  redirect: {
    kind: 'loopback',
    host: 'localhost:52817',
    uri: 'http://localhost:52817/callback',
  },
}

const published = 'https://claude.ai/oauth/claude-code-client-metadata'

/** The same, known by a metadata document of its makers. */
export const publishedView: ConsentView = {
  ...loopbackView,
  client: { ...loopbackView.client, name: 'Claude Code', id: published, publishedAt: 'claude.ai' },
}

/** One that calls itself the same, known by a document of somebody else. */
export const wronglyPublishedView: ConsentView = {
  ...publishedView,
  client: {
    ...publishedView.client,
    id: 'https://claude.ai.connect-login.example:8443/client.json',
    publishedAt: 'claude.ai.connect-login.example:8443',
    lookAlike: 'Claude Code',
  },
}

/** A stranger that calls itself ChatGPT. */
export const lookAlikeView: ConsentView = {
  ...consentView,
  client: {
    ...consentView.client,
    name: 'ChаtGPT',
    seenBefore: false,
    lookAlike: 'ChatGPT',
    uri: 'https://chatgpt.com/',
  },
  redirect: {
    kind: 'https',
    host: 'connect.evil.example',
    uri: 'https://connect.evil.example/oauth/callback?next=chatgpt.com',
  },
}

const longHost = `${'a-very-long-label-that-never-ends.'.repeat(5)}example`

/** Markup in every field, and no mercy in length. */
export const hostileView: ConsentView = {
  ...consentView,
  siteName: '"><img src=x onerror=alert(1)> & Söhne',
  client: {
    name: `</title><script>alert('name')</script>${'W'.repeat(90)}`,
    id: '"><svg onload=alert(2)>',
    vouched: false,
    seenBefore: false,
    lookAlike: undefined,
    uri: 'javascript:alert(3)',
  },
  redirect: {
    kind: 'https',
    host: longHost,
    uri: `https://${longHost}/cb?x=%22'><script>alert(4)</script>${'&y=0123456789'.repeat(14)}`,
  },
  scopes: [
    { name: '" onfocus="alert(5)', description: '<b>bold</b> promises', checked: true },
    { name: 's'.repeat(128), description: `${'Everything '.repeat(20)}always`, checked: false },
  ],
  user: { login: `${'x'.repeat(64)}@${longHost}`, name: '<i>Name</i>' },
  form: { action: '/consent?"><script>', flow: '"><b>', csrf: "'><b>" },
}

const consentPages = {
  approve: () =>
    renderConsentPage({ ...consentView, stage: 'approve', user: undefined, canRemember: false }),
  'approve-loopback': () => renderConsentPage(loopbackView),
  'approve-published': () => renderConsentPage(publishedView),
  'approve-published-elsewhere': () => renderConsentPage(wronglyPublishedView),
  'approve-one-click': () =>
    renderConsentPage({
      ...loopbackView,
      oneClick: true,
      scopes: [{ name: 'mcp', description: 'Use Field Notes on your behalf', checked: true }],
    }),
  'approve-private-use': () =>
    renderConsentPage({
      ...loopbackView,
      client: { ...loopbackView.client, name: undefined },
      redirect: {
        kind: 'private-use',
        host: 'cursor://anysphere.cursor-mcp',
        uri: 'cursor://anysphere.cursor-mcp/oauth/callback',
      },
    }),
  consent: () => renderConsentPage(consentView),
  'consent-step-up': () => renderConsentPage(stepUpView),
  'consent-vouched': () =>
    renderConsentPage({ ...consentView, client: { ...consentView.client, vouched: true } }),
  'consent-look-alike': () => renderConsentPage(lookAlikeView),
  'consent-hostile': () => renderConsentPage(hostileView),
  'consent-right-to-left': () =>
    renderConsentPage({
      ...consentView,
      client: { ...consentView.client, name: 'מזכירה חכמה (evil.example)', seenBefore: false },
      user: { login: 'sam@example.org', name: 'سامي' },
    }),
  confirm: () => renderConsentPage({ ...consentView, stage: 'confirm' }),
  'confirm-loopback': () =>
    renderConsentPage({
      ...loopbackView,
      stage: 'confirm',
      user: { login: 'samrivera', name: 'Sam Rivera' },
    }),
}

const github = { id: 'github', label: 'GitHub' }
const signIn = { siteName, clientName: 'ChatGPT (chatgpt.com)', form }

const otherPages = {
  'sign-in': () => renderSignInPage({ ...signIn, local: true, upstreams: [] }),
  'sign-in-providers': () =>
    renderSignInPage({
      ...signIn,
      local: false,
      upstreams: [github, { id: 'google', label: 'Google' }],
    }),
  'sign-in-both-failed': () =>
    renderSignInPage(
      {
        ...signIn,
        local: true,
        upstreams: [github],
        login: 'sam.rivera@example.org',
        error: 'E-mail or password is wrong. Try again.',
      },
      401,
    ),
  setup: () => renderSetupPage({ siteName, form: setUpForm }),
  'setup-failed': () =>
    renderSetupPage(
      {
        siteName,
        email: 'sam.rivera@example.org',
        error: 'The password must have 10 to 200 characters.',
        form: setUpForm,
      },
      400,
    ),
  notice: () =>
    renderNoticePage({
      siteName,
      title: 'You are set up',
      paragraphs: [
        'Your account is ready. From now on you sign in with sam.rivera@example.org when an app asks to connect.',
        'You can close this page, or see how to connect your first app.',
      ],
      link: { href: '/', text: 'Connect an app', primary: true },
    }),
  home: () =>
    renderHomePage({
      siteName,
      issuer: 'https://notes.example.org',
      servers: [{ name: siteName, url: 'https://notes.example.org/mcp' }],
    }),
  'home-two-local': () =>
    renderHomePage({
      siteName,
      issuer: 'http://localhost:8787',
      servers: [
        { name: siteName, url: 'http://localhost:8787/mcp' },
        { name: 'Parliament search & archive', url: 'http://localhost:8787/parliament/mcp' },
      ],
    }),
}

function renderRefusal(reason: string | undefined, code: string, description?: string): Answer {
  const text = describeError(reason, code, description)
  return renderErrorPage({ siteName, status: 400, code, requestId: 'q7Zt0dX4rTnB2sLw', ...text })
}

const refusedView: RefusedView = {
  siteName,
  ...describeError('not_admitted', 'access_denied', undefined),
  account:
    'octocat (octocat@example.org) at GitHub may not sign in here; ask the owner of this server for access',
  contact: 'Sam Rivera <sam.rivera@example.org>',
  retry: { href: '/consent?flow=flow-4f9c', text: 'Try another account', primary: true },
  back: { href: 'https://chatgpt.com/cb?error=access_denied', text: 'Go back to chatgpt.com' },
  requestId: 'q7Zt0dX4rTnB2sLw',
}

const errorPages = {
  'refused-account': () => renderRefusedPage(refusedView),
  'refused-hostile': () =>
    renderRefusedPage({
      ...refusedView,
      account: `"><script>alert(1)</script>${'x'.repeat(300)}@${longHost} at GitHub`,
      contact: `<img src=x onerror=alert(1)> ${'y'.repeat(300)}`,
      back: { href: 'javascript:alert(1)', text: '<b>Go back</b>' },
    }),
  'error-unknown-client': () =>
    renderRefusal(
      'unknown_client',
      'invalid_client',
      'Unregistered client_id=mcp_6f1d2c3b4a5968778695a4b3c2d1e0ff',
    ),
  'error-pkce': () => renderRefusal('pkce_missing', 'invalid_request'),
  'error-other-browser': () => renderRefusal('other_browser', 'invalid_request'),
  'error-unexpected': () => renderRefusal(undefined, 'server_error'),
  'error-hostile': () =>
    renderRefusal(
      'redirect_uri_mismatch',
      'invalid_request',
      `redirect_uri=https://${longHost}/"><script>alert(1)</script> is not registered`,
    ),
  'error-interstitial': () =>
    renderErrorPage({
      siteName,
      status: 400,
      ...describeError(undefined, 'invalid_scope', 'No scope of this server was asked for'),
      code: 'invalid_scope',
      requestId: 'q7Zt0dX4rTnB2sLw',
      link: { href: 'https://chatgpt.com/cb?error=invalid_scope', text: 'Return to chatgpt.com' },
    }),
}

/** Name → page, in the order a person could meet them. */
export const samples: Readonly<Record<string, () => Response>> = Object.fromEntries(
  Object.entries<() => Answer>({ ...consentPages, ...otherPages, ...errorPages }).map(
    ([name, render]) => [name, () => toResponse(render())],
  ),
)
