/** What clients read before they do anything: server metadata, resource metadata, keys (catalogue §1). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'
import {
  basic,
  postForm,
  type Registered,
  readClaims,
  redeem,
  registerClient,
} from '../helpers/oauth-client.ts'
import { createPerson, type Person } from '../helpers/person.ts'
import { verifies, verifiesThat } from '../verifies.ts'

const serverPath = '/.well-known/oauth-authorization-server'
const openidPath = '/.well-known/openid-configuration'
const resourcePath = '/.well-known/oauth-protected-resource'

let server: TestGatehouse
let person: Person
beforeAll(async () => {
  server = await startTestGatehouse()
  person = await createPerson(server)
})
afterAll(() => server.close())

type Document = Record<string, unknown>

async function read(path: string, init?: RequestInit): Promise<Document> {
  const response = await server.send(path, init)
  expect(response.status, path).toBe(200)
  return (await response.json()) as Document
}

/** A method with which a client may authenticate, as the request it becomes. */
function prove(client: Registered, method: unknown) {
  const { client_id, client_secret = '' } = client
  if (method === 'none') return { fields: { client_id, client_secret: undefined }, headers: {} }
  if (method === 'client_secret_post') return { fields: { client_id, client_secret }, headers: {} }
  const fields = { client_id: undefined, client_secret: undefined }
  return { fields, headers: basic(client_id, client_secret) }
}

describe('the server metadata', () => {
  verifies('D4', async () => {
    const methods = ['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt']
    const response = await server.send(serverPath)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      issuer: 'https://mcp.example.com',
      authorization_endpoint: 'https://mcp.example.com/authorize',
      token_endpoint: 'https://mcp.example.com/token',
      registration_endpoint: 'https://mcp.example.com/register',
      revocation_endpoint: 'https://mcp.example.com/revoke',
      introspection_endpoint: 'https://mcp.example.com/introspect',
      jwks_uri: 'https://mcp.example.com/jwks',
      scopes_supported: ['notes:read', 'notes:write', 'offline_access'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      client_id_metadata_document_supported: true,
      introspection_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      protected_resources: ['https://mcp.example.com/mcp'],
    })
  })

  verifies('S2', async () => {
    const document = await read(serverPath)
    expect(await read(`${serverPath}/mcp`)).toEqual(document)
    expect(await read(`/mcp${serverPath}`)).toEqual(document)
  })

  it.each([openidPath, `${openidPath}/mcp`, `/mcp${openidPath}`])(
    'is not at %s, which is a JSON 404 (DI-02)',
    async (path) => {
      const response = await server.send(path)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(await response.json()).toMatchObject({ error: 'invalid_request' })
    },
  )

  it('names the issuer of resource metadata, redirects and tokens, byte for byte (D6, DI-01)', async () => {
    const { issuer } = await read(serverPath)
    expect(issuer).toBe(server.issuer)
    const resource = await read(`${resourcePath}/mcp`)
    expect(resource.authorization_servers).toEqual([issuer])

    const client = await registerClient(server.send)
    const page = await person.approve(client)
    expect(page.url.searchParams.getAll('iss')).toEqual([issuer])
    const tokens = await redeem(server.send, client, page.url.searchParams.get('code') ?? '')
    expect(readClaims(tokens.body.access_token)).toMatchObject({
      iss: issuer,
      aud: resource.resource,
    })
  })

  verifies('D7', async () => {
    expect((await read(serverPath)).code_challenge_methods_supported).toEqual(['S256'])
  })

  verifies('D9', async () => {
    expect((await read(serverPath)).authorization_response_iss_parameter_supported).toBe(true)
  })

  verifiesThat('A2', 'the endpoint and the scopes', async () => {
    const document = await read(serverPath)
    expect(document.revocation_endpoint).toBe(`${server.issuer}/revoke`)
    expect(document.scopes_supported).toEqual(expect.arrayContaining(['notes:read', 'notes:write']))
  })

  it('offers offline_access, which no resource metadata does (D21, DI-11)', async () => {
    expect((await read(serverPath)).scopes_supported).toContain('offline_access')
    expect((await read(`${resourcePath}/mcp`)).scopes_supported).not.toContain('offline_access')
  })

  it.each([
    ['another name', 'https://evil.example', {}],
    ['plain http behind a TLS proxy', 'http://mcp.example.com:8080', {}],
    ['X-Forwarded fields', 'https://mcp.example.com', { 'x-forwarded-host': 'evil.example' }],
    ['Forwarded', 'https://mcp.example.com', { forwarded: 'host=evil.example;proto=http' }],
    ['X-Forwarded-Proto', 'https://mcp.example.com', { 'x-forwarded-proto': 'http' }],
  ])('is the same under %s (DI-04, DI-05)', async (_, origin, headers) => {
    for (const path of [serverPath, `${resourcePath}/mcp`]) {
      const request = new Request(origin + path, { headers: { ...headers } })
      const response = await server.gatehouse.fetch(request)
      expect(await response.json()).toEqual(await read(path))
    }
  })

  it('names addresses that no shell or browser can misread (DI-10)', async () => {
    for (const value of Object.values(await read(serverPath))) {
      if (typeof value !== 'string') continue
      expect(value).toMatch(/^https:\/\/[A-Za-z0-9\-._~:/?=&%]+$/)
    }
  })

  it('has no null and no member of RFC 7592 (DI-06)', async () => {
    const document = await read(serverPath)
    expect(Object.values(document)).not.toContain(null)
    expect(document).not.toHaveProperty('registration_client_uri')
  })

  it('names only ways to authenticate that work (DI-06)', async () => {
    const document = await read(serverPath)
    const methods = document.token_endpoint_auth_methods_supported as string[]
    // Keys are for clients with a metadata document: `document-assertions.test.ts`.
    for (const method of methods.filter((name) => name !== 'private_key_jwt')) {
      const client = await registerClient(server.send, { token_endpoint_auth_method: method })
      expect(client.token_endpoint_auth_method).toBe(method)
      const { fields, headers } = prove(client, method)
      const code = await person.authorize(client)
      const tokens = await redeem(server.send, client, code, fields, headers)
      expect(tokens.status, method).toBe(200)
      const token = tokens.body.access_token
      const introspects = document.introspection_endpoint_auth_methods_supported as string[]
      const described = await postForm(server.send, '/introspect', { ...fields, token }, headers)
      expect(described.status, method).toBe(introspects.includes(method) ? 200 : 401)
      const revoked = await postForm(server.send, '/revoke', { ...fields, token }, headers)
      expect(revoked.status, method).toBe(200)
    }
  })

  it('leaves registration out where it is off, and the endpoint is gone (CR-28)', async () => {
    const closed = await startTestGatehouse({ dynamicRegistration: false })
    const document = (await (await closed.send(serverPath)).json()) as Document
    expect(document).not.toHaveProperty('registration_endpoint')
    const response = await closed.send('/register', { method: 'POST', body: '{}' })
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/json')
    await closed.close()
  })
})

describe('the resource metadata', () => {
  it.each(['/mcp2', '/mcp/', '/mcp/x', '/%6dcp2', '/https://evil.example'])(
    'does not exist for %s, which nobody configured (DI-03)',
    async (suffix) => {
      expect((await server.send(resourcePath + suffix)).status).toBe(404)
    },
  )
})

describe('discovery', () => {
  it.each([serverPath, openidPath, `${resourcePath}/mcp`, '/jwks'])(
    'refuses to change anything at %s (DI-13)',
    async (path) => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const response = await server.send(path, { method })
        expect(response.status).toBe(405)
        expect(response.headers.get('allow')).toContain('GET')
        expect(response.headers.get('content-type')).toBe('application/json')
      }
    },
  )

  it.each([
    `${serverPath}/`,
    `/${serverPath}`,
    '/.well-known//oauth-authorization-server',
    '/jwks/',
  ])('answers 404 without a redirect at %s (DI-13)', async (path) => {
    const response = await server.gatehouse.fetch(new Request(server.issuer + path))
    expect(response.status).toBe(404)
    expect(response.headers.get('location')).toBeNull()
  })

  it('answers HEAD like GET, without the body', async () => {
    const response = await server.send(serverPath, { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })
})

describe('the key set', () => {
  it.each(['ES256', 'EdDSA', 'RS256'] as const)(
    'shows of an %s key its public members only (DI-12)',
    async (signingAlgorithm) => {
      const other = await startTestGatehouse({ signingAlgorithm })
      const { keys } = (await (await other.send('/jwks')).json()) as { keys: Document[] }
      expect(keys).toHaveLength(1)
      for (const key of keys) {
        expect(key).toMatchObject({ alg: signingAlgorithm, use: 'sig', kid: expect.any(String) })
        for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
          expect(key).not.toHaveProperty(member)
        }
      }
      await other.close()
    },
  )

  it('may be cached for five minutes and no longer (DI-14)', async () => {
    const response = await server.send('/jwks')
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json')
  })
})
