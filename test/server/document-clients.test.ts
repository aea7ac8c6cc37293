/** Clients whose id is the URL of a metadata document, over HTTP from the first page to the last refresh. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { clients } from '../../src/storage/records/client.ts'
import { grants } from '../../src/storage/records/grant.ts'
import { createBrowser, findForm } from '../helpers/browser.ts'
import {
  allow,
  type DocumentSite,
  readingOptions,
  startDocumentSite,
} from '../helpers/document-site.ts'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  postForm,
  type Registered,
  readClaims,
  redeem,
  refresh,
} from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const path = '/oauth/client.json'
const callback = 'https://client.example/callback'

type TestOptions = NonNullable<Parameters<typeof startTestGatehouse>[0]>

let site: DocumentSite
let server: TestGatehouse
let client: Registered

/** Publishes the client's document, with some members changed. */
function publish(members: Record<string, unknown> = {}, headers?: Record<string, string>): void {
  const document = {
    client_id: site.origin + path,
    client_name: 'Document client',
    redirect_uris: [callback],
    token_endpoint_auth_method: 'none',
    ...members,
  }
  site.serve(path, document, headers)
}

async function start(options: TestOptions = {}): Promise<void> {
  server = await startTestGatehouse({ ...readingOptions(site), ...options })
}

/** A code for a client. */
function authorize(by = client): Promise<string> {
  return allow(server, by)
}

beforeEach(async () => {
  site = await startDocumentSite()
  client = { client_id: site.origin + path, redirect_uris: [callback] }
  publish()
  await start()
})

afterEach(async () => {
  await server.close()
  await site.close()
})

function open(extra?: Record<string, string | undefined>): Promise<Response> {
  return server.send(authorizePath(client, extra), { headers: { accept: 'text/html' } })
}

function findStored() {
  return clients.find(server.gatehouse.context.store, client.client_id)
}

describe('a client with a metadata document', () => {
  verifies('D2', async () => {
    const code = await authorize()
    expect((await redeem(server.send, client, code)).status).toBe(200)
    expect((await findStored())?.value).toMatchObject({ id: client.client_id, origin: 'document' })
  })

  verifies('D10', async () => {
    const code = await authorize()
    const tokens = await redeem(server.send, client, code)
    expect(tokens.status).toBe(200)
    expect(readClaims(tokens.body.access_token).client_id).toBe(client.client_id)
    const refreshed = await refresh(server.send, client, tokens.body.refresh_token)
    expect(refreshed.status).toBe(200)
    expect(site.requests).toHaveLength(1)
    expect(site.requests[0]?.headers).not.toHaveProperty('cookie')
  })

  verifiesThat('X10', 'also by a metadata document instead of a registration', async () => {
    const metadata = await server.send('/.well-known/oauth-authorization-server')
    expect(await metadata.json()).toMatchObject({
      client_id_metadata_document_supported: true,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
    })
    const code = await authorize()
    expect((await redeem(server.send, client, code)).status).toBe(200)
  })

  it('stands in the audit log like a registration', async () => {
    await open()
    expect(server.audit).toContainEqual(
      expect.objectContaining({
        event: 'client.registered',
        clientId: client.client_id,
        details: { client_name: 'Document client', redirect_uris: [callback], mode: 'document' },
      }),
    )
  })

  it('shows on the consent page who publishes it, and is not taken for verified (CM-15, I86)', async () => {
    const page = await (await open()).text()
    expect(page).toContain(`Published by <b><bdi>${site.host}</bdi></b>`)
    expect(page).toContain('<dt>Verified by the owner</dt><dd>No</dd>')
    expect(page).toContain(`<bdi>${client.client_id}</bdi>`)
    expect(page).not.toContain('<img')
  })

  it('cannot call itself Claude Code from another site (CM-15)', async () => {
    const redirect_uris = ['http://localhost/callback']
    publish({ client_name: 'Claude Code', redirect_uris })
    const page = await (await open({ redirect_uri: 'http://localhost:5000/callback' })).text()
    expect(page).toContain('This may not be <bdi>Claude Code</bdi>')
    expect(page).toContain(`but is published by <b><bdi>${site.host}</bdi></b> and would send`)
  })

  it('may come back to any port of this machine, and to nothing else that is not in it (K8)', async () => {
    publish({ redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'] })
    expect((await open({ redirect_uri: 'http://127.0.0.1:53123/callback' })).status).toBe(200)
    const refused = await open({ redirect_uri: callback })
    expect(refused.status).toBe(400)
    expect(refused.headers.get('location')).toBeNull()
  })

  it('always uses PKCE, and is not even read for without it (CM-21)', async () => {
    const response = await open({ code_challenge: undefined, code_challenge_method: undefined })
    expect(response.status).toBe(400)
    expect((await open({ response_type: 'token' })).status).toBe(400)
    expect(site.requests).toHaveLength(0)
  })

  it('gives up a token of its own (RFC 7009)', async () => {
    const tokens = await redeem(server.send, client, await authorize())
    const { client_id } = client
    const token = tokens.body.refresh_token
    expect((await postForm(server.send, '/revoke', { client_id, token })).status).toBe(200)
    expect((await refresh(server.send, client, token)).body.error).toBe('invalid_grant')
    expect(await grants.list(server.gatehouse.context.store)).toEqual([])
  })

  it('has no registration to manage (RFC 7592)', async () => {
    await open()
    const response = await server.send(`/register/${encodeURIComponent(client.client_id)}`)
    expect(response.status).not.toBe(200)
  })

  it('goes two days after it was read when nobody ever connected it', async () => {
    await open()
    server.clock.advance(2 * 86_400)
    expect(await findStored()).toBeUndefined()
  })

  it('stays for ever once it was connected (design §1)', async () => {
    await authorize()
    server.clock.advance(400 * 86_400)
    expect(await findStored()).toBeDefined()
  })
})

describe('reading its document', () => {
  it('happens once for many who come at the same time, and is written once (CM-20)', async () => {
    let writes = 0
    const { store } = server.gatehouse.context
    store.subscribe('client/', () => {
      writes += 1
    })
    const answers = await Promise.all(Array.from({ length: 20 }, () => open()))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(site.requests).toHaveLength(1)
    expect(server.audit.filter(({ event }) => event === 'client.registered')).toHaveLength(1)
    expect(writes).toBe(1)
  })

  it.each([
    ['says nothing', undefined, 3600],
    ['forbids keeping it', 'no-store', 60],
    ['says ten minutes', 'public, max-age=600', 600],
    ['says a year', 'max-age=31536000', 86_400],
    ['says nothing at all at once', 's-maxage=0, max-age=600', 60],
    ['contradicts itself', 'max-age=600, max-age=60', 60],
  ])('is repeated when its server %s and the time is over (CM-18)', async (_, says, seconds) => {
    publish({}, says === undefined ? {} : { 'cache-control': says })
    await open()
    server.clock.advance(seconds - 1)
    await open()
    expect(site.requests).toHaveLength(1)
    server.clock.advance(1)
    await open()
    expect(site.requests).toHaveLength(2)
  })

  it('is no part of what follows, so that no-store disturbs no flow (CM-24)', async () => {
    publish({}, { 'cache-control': 'no-store' })
    await server.close()
    const limits = createLimits({ overrides: { document: { points: 1, seconds: 600 } } })
    await start({ limits })
    const tokens = await redeem(server.send, client, await authorize())
    expect(tokens.status).toBe(200)
    expect((await refresh(server.send, client, tokens.body.refresh_token)).status).toBe(200)
    expect(site.requests).toHaveLength(1)
  })

  it('is limited by who asks and whom (CM-21)', async () => {
    await server.close()
    await start({ limits: createLimits({ overrides: { document: { points: 2, seconds: 60 } } }) })
    const statuses: number[] = []
    for (const at of [1, 2, 3]) {
      const client_id = `${site.origin}/clients/${at}`
      site.serve(`/clients/${at}`, { client_id, redirect_uris: [callback] })
      statuses.push((await open({ client_id })).status)
    }
    expect(statuses).toEqual([200, 200, 429])
  })

  it.each([
    ['http', (origin: string) => `${origin.replace('https', 'http')}${path}`],
    ['a fragment', (origin: string) => `${origin}${path}#x`],
    ['a dot segment', (origin: string) => `${origin}/a/..${path}`],
    ['upper case', (origin: string) => `${origin.toUpperCase()}${path}`],
    [
      'an IP address',
      (origin: string) => `${origin.replace('client.example', '127.0.0.1')}${path}`,
    ],
  ])('does not happen for an id with %s, which nobody knows (CM-01)', async (_, toId) => {
    const client_id = toId(site.origin)
    const page = await open({ client_id })
    expect(page.status).toBe(400)
    expect(await page.text()).toContain('Client Not Registered')
    const answer = await refresh(server.send, client, 'ghr_x', { client_id })
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(site.requests).toHaveLength(0)
  })
})

describe('a document that cannot be used', () => {
  it.each([
    ['another client_id', { client_id: 'https://other.example/c' }],
    ['a secret', { client_secret: 'x' }],
    ['a script as its redirect URI', { redirect_uris: ['javascript:alert(1)'] }],
  ])('with %s is a page of ours and is not kept (CM-02, CM-12, CM-13)', async (_, members) => {
    publish(members)
    const response = await open()
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
    const page = await response.text()
    expect(page).toContain('This app could not be verified')
    expect(await findStored()).toBeUndefined()
    expect(server.audit).toContainEqual(
      expect.objectContaining({ event: 'authorize.refused', reason: 'document_invalid' }),
    )
  })

  it('is not read again for 30 seconds, and then it is (CM-18)', async () => {
    publish({ client_id: 'https://other.example/c' })
    await open()
    publish()
    server.clock.advance(29)
    expect((await open()).status).toBe(400)
    expect(site.requests).toHaveLength(1)
    server.clock.advance(1)
    expect((await open()).status).toBe(200)
  })

  it('never tells refused from silent: one page for all that can happen on the way (CM-03, CM-07, CM-08)', async () => {
    const pages = new Set<string>()
    const strip = (text: string) => text.replace(/<dt>Reference.*?<\/dd>/s, '')
    const visit = async () => {
      pages.add(strip(await (await open()).text()))
      server.clock.advance(30)
    }
    for (const status of [204, 302, 403, 404, 500]) {
      site.serve(path, (_, outgoing) => outgoing.writeHead(status, { location: '/' }).end())
      await visit()
    }
    publish({}, { 'content-type': 'text/html' })
    await visit()
    site.setDown(true)
    await visit()
    expect(pages.size).toBe(1)
    expect([...pages][0]).toContain('This app could not be verified')
    expect(server.log.lines.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ problem: 'status', detail: '403 none' }),
    )
  })
})

describe('a web site that is down (CM-17)', () => {
  it('stops no refresh, no code and no revocation', async () => {
    const code = await authorize()
    const other = await redeem(server.send, client, await authorize())
    site.setDown(true)
    server.clock.advance(50)
    const tokens = await redeem(server.send, client, code)
    expect(tokens.status).toBe(200)
    server.clock.advance(20 * 86_400)
    const refreshed = await refresh(server.send, client, tokens.body.refresh_token)
    expect(refreshed.status).toBe(200)
    const { client_id } = client
    const token = other.body.refresh_token
    expect((await postForm(server.send, '/revoke', { client_id, token })).status).toBe(200)
  })

  it('lets no new authorization begin once the document is stale', async () => {
    await open()
    site.setDown(true)
    server.clock.advance(3599)
    expect((await open()).status).toBe(200)
    server.clock.advance(1)
    expect((await open()).status).toBe(400)
    site.setDown(false)
    server.clock.advance(30)
    expect((await open()).status).toBe(200)
  })

  it('is never invalid_client for a client that nobody here knows', async () => {
    site.setDown(true)
    const refreshed = await refresh(server.send, client, 'ghr_unknown')
    expect(refreshed).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect(site.requests).toHaveLength(0)
  })

  it('is replaced by our copy where it is a large vendor’s', async () => {
    const client_id = 'https://chatgpt.com/oauth/codex/abc_123/client.json'
    const redirect_uri = 'http://127.0.0.1:1455/callback/abc_123'
    const codex = { client_id, redirect_uris: [redirect_uri] }
    const tokens = await redeem(server.send, codex, await authorize(codex))
    expect(tokens.status).toBe(200)
    const other = await open({ client_id, redirect_uri: 'http://127.0.0.1:1455/callback/other' })
    expect(other.status).toBe(400)
  })

  it('is replaced by our copy, too, when somebody has used up what may be read there (CM-21)', async () => {
    await server.close()
    await start({ limits: createLimits({ overrides: { document: { points: 1, seconds: 60 } } }) })
    await open({ client_id: 'https://chatgpt.com/oauth/whatever' })
    const client_id = 'https://chatgpt.com/oauth/client.json'
    const redirect_uri = 'https://chatgpt.com/connector_platform_oauth_redirect'
    expect((await open({ client_id, redirect_uri })).status).toBe(200)
    expect((await open({ client_id: 'https://chatgpt.com/oauth/another' })).status).toBe(429)
  })

  it('lets the desktop app of Claude come back to itself (facts: clients §3.4)', async () => {
    const client_id = 'https://claude.ai/oauth/claude-code-client-metadata'
    const redirect_uri = 'claude://claude.ai/mcp-auth-callback/sdk'
    const claude = { client_id, redirect_uris: [redirect_uri] }
    const page = await (await open({ client_id, redirect_uri })).text()
    expect(page).toContain('an app on this device')
    expect((await redeem(server.send, claude, await authorize(claude))).status).toBe(200)
  })
})

describe('a document that changes (CM-19)', () => {
  it('leaves a code bound to the redirect URI it was issued for', async () => {
    const code = await authorize()
    publish({ redirect_uris: ['https://evil.example/callback'] })
    server.clock.advance(30)
    const other = await redeem(server.send, client, code, {
      redirect_uri: 'https://evil.example/callback',
    })
    expect(other.body.error).toBe('invalid_grant')
    expect((await redeem(server.send, client, code)).status).toBe(200)
  })

  it('sends nobody to an address that it no longer has, in the middle of a flow', async () => {
    const browser = createBrowser(server.issuer, server.gatehouse.fetch)
    const page = await browser.open(server.issuer + authorizePath(client))
    const key = (await findStored())?.key ?? ''
    publish({ redirect_uris: ['https://client.example/other'] }, { 'cache-control': 'no-store' })
    await server.gatehouse.context.store.commit({ delete: [key] })
    await open({ redirect_uri: 'https://client.example/other' })
    const after = await browser.press(page, 'decision', 'deny')
    expect(after.status).toBe(400)
    expect(after.url.origin).toBe(server.issuer)
  })

  it('makes a remembered choice void, and is written down with what changed', async () => {
    await server.close()
    await start({ noSignIn: false })
    const person = await createPerson(server)
    await person.authorize(client)
    const { browser } = person
    const url = server.issuer + authorizePath(client)
    const itself = { 'sec-fetch-site': 'none' }
    const { fields } = findForm(await browser.open(url), 'decision', 'allow')
    await browser.post(`${server.issuer}/consent`, [
      ...fields,
      ['decision', 'allow'],
      ['remember', 'yes'],
    ])
    expect((await browser.open(url, itself)).url.href).toContain(`${callback}?`)

    publish({ client_name: 'Another name', scope: 'notes:read' })
    server.clock.advance(3600)
    expect((await browser.open(url, itself)).status).toBe(200)
    expect(server.audit).toContainEqual(
      expect.objectContaining({
        event: 'client.updated',
        clientId: client.client_id,
        details: expect.objectContaining({ changed: ['client_name', 'scope'] }),
      }),
    )
  })

  it('is not written down when it stays the same', async () => {
    await open()
    server.clock.advance(3600)
    await open()
    expect(site.requests).toHaveLength(2)
    expect(server.audit.filter(({ event }) => event === 'client.updated')).toEqual([])
  })
})

describe('many installations of one client (CM-25)', () => {
  it('are grants of their own: another one connects, and nobody is signed out', async () => {
    publish({ redirect_uris: ['http://127.0.0.1/callback'] })
    const install = (port: number) => ({
      ...client,
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
    })
    const [one, two] = [install(5001), install(5002)]
    const first = await redeem(server.send, one, await authorize(one))
    const second = await redeem(server.send, two, await authorize(two))
    expect((await refresh(server.send, one, first.body.refresh_token)).status).toBe(200)
    expect((await refresh(server.send, two, second.body.refresh_token)).status).toBe(200)
  })
})

describe('an owner who does not want them', () => {
  it.each([
    ['switched them off', { clientMetadataDocuments: false }],
    ['lets nobody register', { dynamicRegistration: false }],
    ['names other hosts', { clientMetadataDocuments: { hosts: ['claude.ai'] } }],
    [
      'has one client for everybody',
      { registration: { mode: 'static' as const, clientId: 'one' } },
    ],
  ])('and %s reads none (I90)', async (_, options) => {
    await server.close()
    await start(options)
    const page = await open()
    expect(page.status).toBe(400)
    expect(await page.text()).toContain('Client Not Registered')
    expect(site.requests).toHaveLength(0)
  })

  it('advertises nothing then', async () => {
    await server.close()
    await start({ clientMetadataDocuments: false })
    const metadata = await (await server.send('/.well-known/oauth-authorization-server')).json()
    expect(metadata).not.toHaveProperty('client_id_metadata_document_supported')
    expect(metadata).not.toHaveProperty('token_endpoint_auth_signing_alg_values_supported')
  })

  it('may name hosts, with their port', async () => {
    await server.close()
    await start({ clientMetadataDocuments: { hosts: [site.host] } })
    expect((await open()).status).toBe(200)
  })

  it('who switches them off later disconnects nobody and connects nobody', async () => {
    const tokens = await redeem(server.send, client, await authorize())
    const { store } = server.gatehouse.context
    const { clock } = server
    const closed = await startTestGatehouse({
      ...readingOptions(site),
      store,
      clock,
      clientMetadataDocuments: false,
    })
    expect((await refresh(closed.send, client, tokens.body.refresh_token)).status).toBe(200)
    expect((await closed.send(authorizePath(client))).status).toBe(400)
    await closed.close()
  })

  it.each([
    [
      'static mode',
      { registration: { mode: 'static', clientId: 'one' }, clientMetadataDocuments: true },
    ],
    ['no host', { clientMetadataDocuments: { hosts: [] } }],
    ['an address', { clientMetadataDocuments: { hosts: ['127.0.0.1'] } }],
    ['a URL', { clientMetadataDocuments: { hosts: ['https://claude.ai'] } }],
  ] as const)('learns of %s at the start', async (_, options) => {
    await expect(startTestGatehouse(options as TestOptions)).rejects.toThrow(
      'clientMetadataDocuments',
    )
  })
})
