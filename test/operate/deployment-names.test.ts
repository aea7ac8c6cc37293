import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig, type Settings } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { verifies } from '../verifies.ts'

type Env = Record<string, string>

function load(env: Env): Settings {
  const loaded = loadConfig({ env })
  if (!loaded.ok) throw new Error(loaded.problems.map(renderProblem).join('\n'))
  return loaded.settings
}

function findProblems(env: Env): string[] {
  const loaded = loadConfig({ env })
  return loaded.ok ? [] : loaded.problems.map(renderProblem)
}

const bytes = Buffer.alloc(32, 7)
const oidc = { OAUTH_ISSUER: 'https://id.example', OAUTH_CLIENT_ID: 'a', OAUTH_CLIENT_SECRET: 'b' }
const github = { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b' }

/** A name of the deployments' guides: a value, what else must be there, and what comes of it. */
interface Name {
  readonly name: string
  readonly value: string
  readonly beside?: Env
  read(settings: Settings): unknown
  readonly is: unknown
  /** Another value that contradicts it. */
  readonly other: string
}

const names: readonly Name[] = [
  ...['SERVER_URL', 'BASE_URL', 'OAUTH_ISSUER_URL'].map((name) => ({
    name,
    value: 'https://mcp.example.com/',
    read: ({ publicUrl }: Settings) => publicUrl,
    is: 'https://mcp.example.com',
    other: 'https://other.example.com',
  })),
  {
    name: 'OAUTH_ENABLED',
    value: 'false',
    read: ({ oauthEnabled }) => oauthEnabled,
    is: false,
    other: 'true',
  },
  {
    name: 'OAUTH_VALID_SCOPES',
    value: 'read,write',
    read: ({ scopes }) => Object.keys(scopes ?? {}),
    is: ['read', 'write'],
    other: 'read',
  },
  {
    name: 'OAUTH_DEFAULT_SCOPES',
    value: 'read, write',
    read: ({ defaultScopes }) => defaultScopes,
    is: ['read', 'write'],
    other: 'read',
  },
  {
    name: 'OAUTH_ISSUER',
    value: 'https://id.example',
    beside: { OAUTH_CLIENT_ID: 'a', OAUTH_CLIENT_SECRET: 'b' },
    read: ({ providers }) => providers,
    is: [expect.objectContaining({ type: 'oidc', issuer: 'https://id.example' })],
    other: 'https://other.example',
  },
  {
    name: 'OAUTH_AUDIENCE',
    value: 'https://api.example',
    beside: oidc,
    read: ({ providers }) => providers,
    is: [expect.objectContaining({ audience: 'https://api.example' })],
    other: 'https://other.example',
  },
  {
    name: 'OAUTH_CLIENT_ID',
    value: 'static',
    beside: { OAUTH_ISSUER: 'https://id.example', OAUTH_CLIENT_SECRET: 'b' },
    read: ({ providers }) => providers,
    is: [expect.objectContaining({ clientId: 'static' })],
    other: 'another',
  },
  {
    name: 'OAUTH_CLIENT_SECRET',
    value: 'static secret',
    beside: { OAUTH_ISSUER: 'https://id.example', OAUTH_CLIENT_ID: 'a' },
    read: ({ providers }) => providers,
    is: [expect.objectContaining({ clientSecret: 'static secret' })],
    other: 'another',
  },
  {
    name: 'OAUTH_USE_DYNAMIC_REGISTRATION',
    value: 'true',
    read: ({ registration }) => registration?.mode,
    is: 'dynamic',
    other: 'false',
  },
  {
    name: 'GITHUB_ALLOWED_LOGIN',
    value: 'octocat,hubot',
    beside: github,
    read: ({ providers }) => providers[0]?.admission.logins,
    is: ['octocat', 'hubot'],
    other: 'octocat',
  },
  ...['GITHUB_CLIENT_ID', 'OAUTH_GITHUB_CLIENT_ID'].map((name) => ({
    name,
    value: 'Iv1',
    beside: { GITHUB_CLIENT_SECRET: 'b' },
    read: ({ providers }: Settings) => providers,
    is: [expect.objectContaining({ type: 'github', clientId: 'Iv1' })],
    other: 'Iv2',
  })),
  ...['GITHUB_CLIENT_SECRET', 'OAUTH_GITHUB_CLIENT_SECRET'].map((name) => ({
    name,
    value: 'secret',
    beside: { GITHUB_CLIENT_ID: 'a' },
    read: ({ providers }: Settings) => providers,
    is: [expect.objectContaining({ type: 'github', clientSecret: 'secret' })],
    other: 'another',
  })),
  {
    name: 'OAUTH_REDIRECT_URI',
    value: 'https://mcp.example.com/github/oauth/callback',
    beside: { ...github, SERVER_URL: 'https://mcp.example.com' },
    read: ({ providers }) => providers[0]?.callbackPath,
    is: '/github/oauth/callback',
    other: 'https://mcp.example.com/callback',
  },
  ...[bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')].map(
    (value) => ({
      name: 'OAUTH_JWT_SECRET',
      value,
      read: ({ signingAlgorithm, hs256Secret }: Settings) => [
        signingAlgorithm,
        Buffer.from(hs256Secret ?? []),
      ],
      is: ['HS256', bytes],
      other: 'x'.repeat(43),
    }),
  ),
  {
    name: 'TOKEN_ENCRYPTION_KEY',
    value: bytes.toString('base64'),
    read: ({ masterKey }) => Buffer.from(masterKey ?? []),
    is: bytes,
    other: 'x'.repeat(43),
  },
]

const secrets = names.filter(({ name }) => /SECRET$|KEY$/.test(name))
const prefixed = names.filter(({ name }) => name.startsWith('OAUTH_'))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-names-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the names of the deployments', () => {
  it.each(names)('$name is read (deployments §1)', ({ name, value, beside, read, is }) => {
    expect(read(load({ ...beside, [name]: value }))).toEqual(is)
  })

  verifies('S1', async () => {
    for (const { name, value, beside, read, is, other } of prefixed) {
      const twin = `MCP_${name}`
      expect(read(load({ ...beside, [twin]: value })), twin).toEqual(is)
      expect(read(load({ ...beside, [name]: value, [twin]: value })), name).toEqual(is)
      expect(findProblems({ ...beside, [name]: value, [twin]: other }), twin).toContainEqual(
        expect.stringMatching(
          new RegExp(`^${name}, ${twin}: [a-zA-Z0-9.]+ has two different values; remove one`),
        ),
      )
    }
  })

  it.each(secrets)('$name can be a file as well', async ({ name, value, beside, read, is }) => {
    const file = join(folder, name)
    await writeFile(file, `${value}\n`)
    expect(read(load({ ...beside, [`${name}_FILE`]: file }))).toEqual(is)
  })

  it('says which names of the public URL contradict each other', () => {
    const one = { SERVER_URL: 'https://mcp.example.com' }
    expect(findProblems({ ...one, OAUTH_ISSUER_URL: 'https://mcp.example.com/' })).toEqual([])
    expect(findProblems({ ...one, OAUTH_ISSUER_URL: 'https://id.example.com' })).toEqual([
      'SERVER_URL, OAUTH_ISSUER_URL: publicUrl has two different values; remove one of them',
    ])
  })

  it.each(['OAUTH_JWT_SECRET', 'TOKEN_ENCRYPTION_KEY'])('refuses a short %s', (name) => {
    expect(findProblems({ [name]: 'short' })).toEqual([
      expect.stringMatching(/is shorter than 32 bytes; make one with: openssl rand -base64 32$/),
    ])
  })
})

describe('a secret that signs tokens', () => {
  const secret = { OAUTH_JWT_SECRET: bytes.toString('base64') }

  it('contradicts another algorithm', () => {
    expect(findProblems({ ...secret, GATEHOUSE_SIGNING_ALGORITHM: 'RS256' })).toEqual([
      'OAUTH_JWT_SECRET: jwtSecret contradicts signingAlgorithm RS256: a secret signs with HS256 alone; remove one of them',
    ])
    expect(load({ ...secret, GATEHOUSE_SIGNING_ALGORITHM: 'HS256' }).hs256Secret).toBeDefined()
  })

  it('is needed for HS256', () => {
    expect(findProblems({ GATEHOUSE_SIGNING_ALGORITHM: 'HS256' })).toEqual([
      'GATEHOUSE_SIGNING_ALGORITHM: signingAlgorithm HS256 needs a secret that your backends share: make one with openssl rand -base64 32 and give it as OAUTH_JWT_SECRET',
    ])
  })

  it('is not the key that seals the store', () => {
    expect(findProblems({ ...secret, TOKEN_ENCRYPTION_KEY: bytes.toString('hex') })).toEqual([
      'OAUTH_JWT_SECRET: jwtSecret is the same as tokenEncryptionKey, which no backend may have; make another with openssl rand -base64 32',
    ])
  })
})

describe('paths', () => {
  it('are read one by one, below a base, and with aliases', () => {
    const { endpointPaths } = load({
      GATEHOUSE_PATHS_BASE: '/auth/oauth',
      GATEHOUSE_PATHS_AUTHORIZE: '/auth/oauth/login-here',
      GATEHOUSE_PATHS_ALIASES: '{ /login/oauth/authorize: authorize }',
    })
    expect(endpointPaths).toMatchObject({
      token: '/auth/oauth/token',
      authorize: '/auth/oauth/login-here',
      aliases: { '/login/oauth/authorize': 'authorize' },
    })
  })

  it('that cannot be served are a problem with its place', () => {
    expect(findProblems({ GATEHOUSE_PATHS_TOKEN: '/authorize' })).toEqual([
      'GATEHOUSE_PATHS_TOKEN: paths cannot be served: paths.authorize and paths.token are both /authorize; give each a path of its own',
    ])
    expect(findProblems({ GATEHOUSE_PATHS_ALIASES: '{ /a: tokne }' })).toHaveLength(1)
  })

  it('move the callbacks of providers too', () => {
    const base = { ...github, GATEHOUSE_PATHS_BASE: '/oauth2' }
    expect(findProblems({ ...base, GATEHOUSE_GITHUB_CALLBACK_PATH: '/authorize' })).toEqual([])
    expect(findProblems({ ...base, GATEHOUSE_GITHUB_CALLBACK_PATH: '/oauth2/token' })).toEqual([
      'GATEHOUSE_GITHUB_CALLBACK_PATH: github.callbackPath is /oauth2/token, where Gatehouse itself answers; choose another',
    ])
  })
})
