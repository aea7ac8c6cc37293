import { expect, it } from 'vitest'
import type { Backend, Config, RequestContext } from '../../src/context.ts'
import { protectedResourceMetadata } from '../../src/gate/resource-metadata.ts'
import { toResponse } from '../../src/platform/web-exchange.ts'

const backend: Backend = {
  id: 'notes',
  name: 'Notes "of" Zoë',
  path: '/notes/mcp',
  resource: 'https://gate.example/notes/mcp',
  identity: 'none',
  headers: {},
}
const config = {
  issuer: 'https://gate.example',
  scopes: { read: 'Read', offline_access: 'Stay', write: 'Write' },
  registration: { mode: 'dynamic' },
} as unknown as Config
const context = { config } as unknown as RequestContext

async function ask(headers: Record<string, string> = {}, url = 'https://gate.example/x') {
  const outcome = await protectedResourceMetadata(backend)(new Request(url, { headers }), context)
  return outcome instanceof Response ? outcome : toResponse(outcome)
}

it('is the document of RFC 9728 with the issuer as it is, and without offline_access (DI-01, DI-03, DI-11, D48)', async () => {
  const response = await ask()
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(await response.json()).toEqual({
    resource: 'https://gate.example/notes/mcp',
    authorization_servers: ['https://gate.example'],
    scopes_supported: ['read', 'write'],
    bearer_methods_supported: ['header'],
    resource_name: 'Notes "of" Zoë',
  })
})

it('is the same bytes whatever the request claims (DI-04, DI-05)', async () => {
  const plain = await (await ask()).text()
  const claims = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example',
  }
  expect(await (await ask(claims, 'http://evil.example:8080/y')).text()).toBe(plain)
})
