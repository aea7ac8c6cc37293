/** Strangers who have documents read: what they can fill, and whom they can hold up (catalogue CM-18, CM-21). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLimits } from '../../src/operate/limits.ts'
import { clients } from '../../src/storage/records/client.ts'
import { clientKeys } from '../../src/storage/records/client-keys.ts'
import { type DocumentSite, readingOptions, startDocumentSite } from '../helpers/document-site.ts'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import { authorizePath, postForm } from '../helpers/oauth-client.ts'

const path = '/oauth/client.json'
const callback = 'https://client.example/callback'

let site: DocumentSite
let server: TestGatehouse

beforeEach(async () => {
  site = await startDocumentSite()
  const client_id = site.origin + path
  site.serve(path, { client_id, redirect_uris: [callback], token_endpoint_auth_method: 'none' })
  const limits = createLimits({ overrides: { document: { points: 3, seconds: 600 } } })
  server = await startTestGatehouse({ ...readingOptions(site), limits })
})

afterEach(async () => {
  await server.close()
  await site.close()
})

/** The status of a client's authorization request. */
async function open(client_id: string, redirect_uri = callback): Promise<number> {
  const client = { client_id, redirect_uris: [redirect_uri] }
  const page = await server.send(authorizePath(client), { headers: { accept: 'text/html' } })
  return page.status
}

async function countClients(): Promise<number> {
  return (await clients.all(server.gatehouse.context.store)).length
}

describe('a flood', () => {
  it('of ids that a copy of ours fits fills no store', async () => {
    const statuses: number[] = []
    for (let at = 0; at < 6; at += 1) {
      const id = `https://chatgpt.com/oauth/made-up-${at}/client.json`
      statuses.push(await open(id, `https://chatgpt.com/connector/oauth/made-up-${at}`))
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429])
    expect(await countClients()).toBe(3)
  })

  it('of ids at a host stops nobody whose client was read within a day', async () => {
    expect(await open(site.origin + path)).toBe(200)
    for (let at = 0; at < 3; at += 1) await open(`${site.origin}/clients/${at}`)
    server.clock.advance(86_399)
    expect(await open(site.origin + path)).toBe(200)
    server.clock.advance(1)
    expect(await open(site.origin + path)).toBe(429)
    expect(site.requests.filter(({ url }) => url === path)).toHaveLength(1)
  })

  it('at the host of a large vendor stops no connector that nobody here knows yet', async () => {
    await server.close()
    const everyone = { points: 100, seconds: 600 }
    const limits = createLimits({ overrides: { document: { points: 3, seconds: 600, everyone } } })
    for (let at = 0; at < 3; at += 1) await limits.spend('document', 'to chatgpt.com')
    server = await startTestGatehouse({ ...readingOptions(site), limits })
    const id = 'https://chatgpt.com/oauth/a-connector/client.json'
    expect(await open(id, 'https://chatgpt.com/connector/oauth/a-connector')).toBe(200)
  })

  it('of assertions for clients that nobody authorized leaves no keys behind', async () => {
    const client_id = `${site.origin}/made-up`
    site.serve('/keys', { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: '1' }] })
    site.serve('/made-up', {
      client_id,
      redirect_uris: [callback],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `${site.origin}/keys`,
    })
    expect(await open(client_id)).toBe(200)
    const toPart = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const assertion = [toPart({ alg: 'EdDSA', kid: '1' }), toPart({ sub: client_id }), 'AA'].join(
      '.',
    )
    const answer = await postForm(server.send, '/token', {
      grant_type: 'refresh_token',
      refresh_token: 'ghr_x',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    })
    expect(answer.status).toBe(401)
    const { store } = server.gatehouse.context
    expect(await clientKeys.all(store)).toHaveLength(1)
    server.clock.advance(2 * 86_400)
    expect(await clientKeys.all(store)).toHaveLength(0)
  })
})
