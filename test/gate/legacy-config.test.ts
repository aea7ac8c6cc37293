/** What an owner writes for HTTP+SSE, and what is refused before anything starts. */
import { describe, expect, it } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import { createConfig } from '../../src/config.ts'
import { resolveResource } from '../../src/oauth/resource.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { createPathTest, createRoutes } from '../../src/routes.ts'
import { memoryStore } from '../../src/storage/memory.ts'

const issuer = 'https://mcp.example.com'
const to = 'http://127.0.0.1:3000/sse'

function configure(...backends: BackendOptions[]) {
  return configureAt(undefined, ...backends)
}

function configureAt(paths: GatehouseOptions['paths'], ...backends: BackendOptions[]) {
  const masterKey = new Uint8Array(32)
  return createConfig({
    issuer,
    backends,
    ...(paths && { paths }),
    masterKey,
    store: memoryStore({ clock: { now: () => 0 } }),
  })
}

/** The paths of the gates. */
function listGates(...backends: BackendOptions[]) {
  const routes = createRoutes(configure(...backends))
  return routes.flatMap(({ path, errors }) => (errors === 'challenge' ? [path] : []))
}

describe('the paths of a backend', () => {
  it('are two for an old server that has one, and three with a path of its own', () => {
    expect(listGates({ path: '/mcp/sse', to, transport: 'sse' })).toEqual([
      '/mcp/sse',
      '/mcp/sse/messages',
    ])
    expect(listGates({ ssePath: '/mcp/sse', to })).toEqual([
      '/mcp',
      '/mcp/sse',
      '/mcp/sse/messages',
    ])
    expect(listGates({ to })).toEqual(['/mcp'])
  })

  for (const [name, backends] of [
    ['must be paths', [{ to, ssePath: 'mcp/sse' }]],
    ['must have something behind them', [{ transport: 'sse' }]],
    [
      'must not be another backend’s',
      [
        { to, ssePath: '/b' },
        { id: 'b', path: '/b', to },
      ],
    ],
    ['must not be where another’s messages go', [{ to, path: '/a/messages', ssePath: '/a' }]],
  ] satisfies [string, BackendOptions[]][])
    it(name, () => {
      expect(() => configure(...backends)).toThrow(TypeError)
    })
})

describe('the paths of clients of HTTP+SSE', () => {
  it('are among those that are served', () => {
    const serves = createPathTest(createRoutes(configure({ to, ssePath: '/old' })))
    const metadata = '/.well-known/oauth-protected-resource/old'
    expect(['/mcp', '/old', '/old/messages', metadata].map(serves)).toEqual(Array(4).fill(true))
    expect(['/mcp/messages', '/old/other', '/messages'].map(serves)).toEqual(Array(3).fill(false))
  })

  it.each<[string, GatehouseOptions['paths'], string]>([
    ['an endpoint', { token: '/old' }, 'paths.token and backend mcp ssePath are both /old'],
    ['another endpoint', { token: '/old/messages' }, "take each other's place"],
    ['an alias', { aliases: { '/old/messages': 'token' } }, 'backend mcp ssePath (/old)'],
    ['registration', { register: '/old/sse' }, 'backend mcp ssePath (/old)'],
  ])('are not where %s is', (_, paths, message) => {
    expect(() => configureAt(paths, { to, ssePath: '/old' })).toThrow(message)
  })

  it('know nothing of announce, which is refused beside them', () => {
    const policy = { announce: true }
    for (const backend of [{ ssePath: '/old' }, { transport: 'sse' as const }])
      expect(() => configure({ to, policy, ...backend })).toThrow(/policy has announce/)
    expect(listGates({ to, policy })).toEqual(['/mcp'])
  })
})

describe('the resource of the old path', () => {
  it('is another name of the backend’s own, and of no other’s (AZ-17)', () => {
    const { backends, resourceAliases } = configure(
      { to, ssePath: '/mcp/sse' },
      { id: 'other', path: '/other', to },
    )
    const known = backends.map(({ resource }) => resource)
    const resolve = (value: string) => resolveResource([value], known, resourceAliases)
    for (const value of [`${issuer}/mcp/sse`, `${issuer}:443/mcp/sse/`, `${issuer}/mcp`])
      expect(resolve(value)).toBe(`${issuer}/mcp`)
    for (const value of [`${issuer}/mcp/sse/messages`, `${issuer}/other/sse`, `${issuer}/mcp/ss`])
      expect(() => resolve(value)).toThrow(/resource/)
  })
})
