/** From configured providers to live ones, and the guides that tell people what to configure. */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UpstreamFlow } from '../../src/identity/upstream.ts'
import { loadConfig, type Settings } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { providerTypes } from '../../src/operate/config/providers.ts'
import { createUpstreams } from '../../src/operate/config/upstreams.ts'
import { root } from '../helpers/sources.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-upstreams-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function load(text: string, env: Record<string, string> = {}): Promise<Settings> {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  const loaded = loadConfig({ file, env })
  if (!loaded.ok) throw new Error(loaded.problems.map(renderProblem).join('\n'))
  return loaded.settings
}

const flow: UpstreamFlow = {
  redirectUri: 'https://mcp.example.com/callback/x',
  state: 'state',
  nonce: 'nonce',
  codeVerifier: 'v'.repeat(43),
}

const everyType = `
github: { clientId: a, clientSecret: b, callbackPath: /github/oauth/callback }
google: { clientId: a, clientSecret: b, hostedDomain: example.com }
auth0: { clientId: a, clientSecret: b, domain: example.auth0.com, audience: api }
okta: { clientId: a, clientSecret: b, issuer: "https://example.okta.com/oauth2/default" }
entra: { clientId: a, clientSecret: b, tenant: organizations, allow: { tenants: [11111111-2222-3333-4444-555555555555] } }
oidc: { clientId: a, clientSecret: b, issuer: "https://id.example.com", label: Staff }
oauth2:
  clientId: a
  clientSecret: b
  authorizationEndpoint: https://forge.example.com/authorize
  tokenEndpoint: https://forge.example.com/token
  profileEndpoint: https://forge.example.com/user
  profile: { subject: id, login: login }
  authorizationParameters: { audience: forge }
providers:
  - { type: github, id: ghes, label: GitHub Enterprise, clientId: a, clientSecret: b, endpoints: { web: "https://gh.example.com", api: "https://gh.example.com/api/v3" } }
`

describe('every type of provider', () => {
  it('becomes a live one with its id, label and callback (A8)', async () => {
    const upstreams = await createUpstreams((await load(everyType)).providers)
    expect(upstreams.map(({ id, label, callbackPath }) => [id, label, callbackPath])).toEqual([
      ['github', 'GitHub', '/github/oauth/callback'],
      ['google', 'Google', undefined],
      ['auth0', 'Auth0', undefined],
      ['okta', 'Okta', undefined],
      ['entra', 'Microsoft', undefined],
      ['oidc', 'Staff', undefined],
      ['oauth2', 'forge.example.com', undefined],
      ['ghes', 'GitHub Enterprise', undefined],
    ])
    expect(upstreams).toHaveLength(providerTypes.length + 1)
  })

  it('is told what was configured, as far as its first address shows', async () => {
    const upstreams = await createUpstreams((await load(everyType)).providers)
    const start = async (wanted: string) => upstreams.find(({ id }) => id === wanted)?.start(flow)
    expect((await start('ghes'))?.href).toMatch(/^https:\/\/gh\.example\.com\/login\/oauth/)
    expect((await start('oauth2'))?.searchParams.get('audience')).toBe('forge')
  })
})

it.each([
  ['github: { clientId: a, clientSecret: b, allowedDomains: ["a b"] }', 'github'],
  ['entra: { clientId: a, clientSecret: b, tenant: nobody }', 'entra'],
  ['oidc: { clientId: a, clientSecret: b, issuer: "http://id.example.com" }', 'oidc'],
])('what a provider itself refuses is told by its name: %s', async (text, id) => {
  const { providers } = await load(text)
  await expect(createUpstreams(providers)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(`^The provider ${id} cannot be used: `),
  })
})

/** The blocks of a language in a guide. */
function findBlocks(guide: string, language: string): string[] {
  const text = readFileSync(join(root, 'docs/guides', guide), 'utf8')
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, block = '']) => block,
  )
}

const guides = readdirSync(join(root, 'docs/guides')).filter((name) =>
  /^(?:sign-in-with-.*|providers)\.md$/.test(name),
)

/** Secrets of guides are somewhere; here they are anything, and what a guide leaves out is there. */
function complete(block: string): string {
  const whole = block
    .replaceAll(/\{ (?:env|file): \S+ \}/g, 'secret')
    .replace(/^ +# …$/m, '  clientId: a\n  clientSecret: b')
  if (/^ +clientId:/m.test(whole) || !/^\w+:\n/.test(whole)) return whole
  return whole.replace(/^(\w+:\n)/, '$1  clientId: a\n  clientSecret: b\n')
}

describe.each(guides)('%s', (guide) => {
  it('shows configuration files that are right', async () => {
    for (const block of findBlocks(guide, 'yaml')) {
      if (block.startsWith('backends:')) continue
      const { providers } = await load(complete(block))
      expect(await createUpstreams(providers), block).not.toEqual([])
    }
  })

  it('shows names of the environment that are right', async () => {
    const exported = findBlocks(guide, 'sh').flatMap((block) => [
      ...block.matchAll(/^export (\w+?)(_FILE)?=(\S+)/gm),
    ])
    if (exported.length === 0) return
    const env = Object.fromEntries(
      exported.map(([, name = '', file, value = '']) => [name, file ? 'secret' : value]),
    )
    const { providers } = await load('{}', env)
    expect(await createUpstreams(providers)).toHaveLength(1)
  })

  it('names the callback of its provider, and links to pages that are there', () => {
    const text = readFileSync(join(root, 'docs/guides', guide), 'utf8')
    expect(text).toMatch(/https:\/\/mcp\.example\.com\/callback\/\w+/)
    const links = [...text.matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, path = '']) => path)
    expect(links.filter((path) => readSafely(join(root, 'docs/guides', path)) === '')).toEqual([])
  })
})

function readSafely(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
