/** Who asks and where the answer would go: until both are proven, a person sees a page and nothing is sent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Registered, registerClient } from '../helpers/oauth-client.ts'
import { type Site, startSite } from '../helpers/site.ts'
import { verifiesThat } from '../verifies.ts'

const html = { headers: { accept: 'text/html' } }
const json = { headers: { accept: 'application/json' } }

let site: Site
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site.close())

const ask = (url: string, init: RequestInit = html) => site.send(url, init)

describe('a client or redirect URI that cannot be trusted', () => {
  const repeated = (name: string, value: string) => (url: string) =>
    `${url}&${name}=${encodeURIComponent(value)}`
  const without = (name: string) => (url: string) => {
    const changed = new URL(url)
    changed.searchParams.delete(name)
    return changed.href
  }
  const cases: [string, Record<string, string | undefined>, ((url: string) => string)?][] = [
    ['no client_id (AZ-01)', {}, without('client_id')],
    ['an unknown client_id (AZ-01)', { client_id: 'mcp_0000' }],
    ['a client_id that is no id (AZ-01)', { client_id: '../../grant/x <script>' }],
    ['a client_id given twice (AZ-10)', {}, repeated('client_id', 'mcp_0000')],
    ['an unregistered redirect_uri (AZ-02)', { redirect_uri: 'https://evil.example/callback' }],
    ['a redirect_uri given twice (AZ-10)', {}, repeated('redirect_uri', 'https://evil.example/')],
    ['another case (RD-02)', { redirect_uri: 'https://CLIENT.example/callback' }],
    ['a default port (RD-02)', { redirect_uri: 'https://client.example:443/callback' }],
    ['a trailing slash (RD-02)', { redirect_uri: 'https://client.example/callback/' }],
    ['other percent-encoding (RD-02)', { redirect_uri: 'https://client.example/%63allback' }],
    ['an added query (RD-06)', { redirect_uri: 'https://client.example/callback?next=evil' }],
    ['user information (RD-03)', { redirect_uri: 'https://client.example@evil.example/callback' }],
    ['a script (RD-10)', { redirect_uri: 'javascript:alert(1)' }],
    ['a NUL in it', { redirect_uri: 'https://client.example/callback\0' }],
  ]
  it.each(cases)('gets a page and no redirect: %s', async (_, extra, change = (url) => url) => {
    const url = change(site.authorizeUrl(extra))
    const page = await ask(url)
    expect(page.status).toBe(400)
    expect(page.headers.get('location')).toBeNull()
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).not.toContain('evil.example"')
    const program = await ask(url, json)
    expect(program.status).toBe(400)
    expect(program.headers.get('location')).toBeNull()
    expect(await program.json()).toMatchObject({ error: expect.stringMatching(/^invalid_/) })
  })

  verifiesThat('H8', 'the page at /authorize, and JSON for programs', async () => {
    const url = site.authorizeUrl({ client_id: 'mcp_gone' })
    const page = await (await ask(url)).text()
    expect(page).toContain('Client Not Registered')
    expect(page).toContain('Unregistered client_id=mcp_gone')
    expect(page).toContain('remove this connection and add it again')
    expect(await (await ask(url, json)).json()).toMatchObject({ error: 'invalid_client' })
  })

  it('repeats what a stranger sent as text only (AZ-19)', async () => {
    const page = await ask(site.authorizeUrl({ client_id: '"><script>alert(1)</script>' }))
    expect(await page.text()).not.toContain('<script')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('must name one of several redirect URIs, and may leave out the only one (RD-07)', async () => {
    const several = await registerClient(site.send, {
      redirect_uris: ['https://a.example/cb', 'https://b.example/cb'],
    })
    const missing = await ask(site.authorizeUrl({ redirect_uri: undefined }, several))
    expect(missing.status).toBe(400)
    expect(missing.headers.get('location')).toBeNull()
    expect((await ask(site.authorizeUrl({ redirect_uri: undefined }))).status).toBe(200)
  })
})

describe('a loopback redirect URI', () => {
  const allowed = ['http://127.0.0.1:5000/cb', 'http://127.0.0.1/cb', 'http://127.0.0.1:65535/cb']
  const refused = [
    'https://127.0.0.1:5000/cb',
    'http://localhost:5000/cb',
    'http://[::1]:5000/cb',
    'http://127.0.0.1.evil.example:5000/cb',
    'http://127.0.0.1:5000/cb?x=1',
    'http://127.0.0.1:5000/CB',
    'http://127.0.0.1:99999/cb',
  ]
  let native: Registered
  beforeAll(async () => {
    native = await registerClient(site.send, { redirect_uris: ['http://127.0.0.1:1234/cb'] })
  })
  it.each(allowed)('may have any port: %s (RD-04)', async (uri) => {
    expect((await ask(site.authorizeUrl({ redirect_uri: uri }, native))).status).toBe(200)
  })
  it.each(refused)('is exact in everything else: %s (RD-05, RD-06)', async (uri) => {
    expect((await ask(site.authorizeUrl({ redirect_uri: uri }, native))).status).toBe(400)
  })
})
