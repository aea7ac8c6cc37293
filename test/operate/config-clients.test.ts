import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { chatgpt } from '../../src/profiles/clients/chatgpt.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-clients-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function load(text: string, env: Record<string, string> = {}) {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  const loaded = loadConfig({ file, env })
  const problems = loaded.ok ? [] : loaded.problems.map(renderProblem)
  return {
    clients: loaded.ok ? loaded.settings.clients : undefined,
    providers: loaded.ok ? loaded.settings.providers : undefined,
    problems: problems.map((line) => line.replaceAll(`${folder}/`, '')),
  }
}

const redirectUris = chatgpt.redirects.uris

describe('OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET without a provider (N1)', () => {
  it('are a client of ours, for ChatGPT unless told otherwise', async () => {
    const secret = { OAUTH_CLIENT_SECRET: 'chosen by the owner' }
    const { clients } = await load('', secret)
    expect(clients).toEqual([
      { id: 'chatgpt', name: 'ChatGPT', secret: 'chosen by the owner', redirectUris },
    ])
    const named = await load('client: { redirectUris: [https://a.example/cb], pkce: optional }', {
      ...secret,
      MCP_OAUTH_CLIENT_ID: 'test',
    })
    expect(named.clients).toEqual([
      {
        id: 'test',
        secret: 'chosen by the owner',
        redirectUris: ['https://a.example/cb'],
        pkce: 'optional',
      },
    ])
  })

  it('are our client at the provider when there is one', async () => {
    const env = { OAUTH_CLIENT_ID: 'a', OAUTH_CLIENT_SECRET: 'b' }
    const github = 'github: { clientId: a, clientSecret: b }'
    expect((await load('', { ...env, OAUTH_ISSUER: 'https://id.example' })).clients).toEqual([])
    expect((await load(github, env)).clients).toEqual([])
    expect(
      (await load(`providers: [{ type: ${github.slice(0, 6)}, ${github.slice(10)}]`, env)).clients,
    ).toEqual([])
    const verify = 'registration: { mode: verify, verify: { issuer: https://id.example } }'
    expect((await load(verify, env)).clients).toEqual([])
  })

  it.each(['GITHUB', 'GOOGLE'])('fill in what is left open of %s', async (name) => {
    const env = { OAUTH_CLIENT_ID: 'a', OAUTH_CLIENT_SECRET: 'b' }
    const chosen = { [`GATEHOUSE_${name}_CALLBACK_PATH`]: '/oauth2/callback' }
    const { problems, clients, providers } = await load('', { ...env, ...chosen })
    expect(problems).toEqual([])
    expect(clients).toEqual([])
    expect(providers).toMatchObject([{ clientId: 'a', clientSecret: 'b' }])
  })

  it('a text and a file that differ stop the start with both names', async () => {
    await writeFile(join(folder, 'secret'), 'another one of the owner\n')
    const env = {
      OAUTH_CLIENT_SECRET: 'chosen by the owner',
      OAUTH_CLIENT_SECRET_FILE: join(folder, 'secret'),
    }
    const { problems } = await load('', env)
    expect(problems).toEqual([
      'OAUTH_CLIENT_SECRET, OAUTH_CLIENT_SECRET_FILE: client.secret has two different values; remove one of them',
    ])
  })

  it('an id alone says what is missing', async () => {
    expect((await load('', { OAUTH_CLIENT_ID: 'abc' })).problems).toEqual([
      'OAUTH_CLIENT_ID: client.secret is missing; give one, or set tokenEndpointAuthMethod: none for a public client',
    ])
  })
})

describe('clients in the file', () => {
  it('have their secrets from elsewhere, or none', async () => {
    await writeFile(join(folder, 'secret'), 'from a file, long enough\n')
    const text = `clients:
  - id: action
    name: My GPT
    secret: { env: ACTION_SECRET }
    redirectUris: [https://chat.openai.com/aip/g-1/oauth/callback]
    scopes: [read]
    pkce: optional
    tokenEndpointAuthMethod: client_secret_basic
  - { id: second, secret: { file: secret }, redirectUris: [https://a.example/cb] }
  - { id: cli, tokenEndpointAuthMethod: none, redirectUris: ['http://127.0.0.1/cb'] }
scopes: [read]
`
    expect((await load(text, { ACTION_SECRET: 'from the environment' })).clients).toEqual([
      {
        id: 'action',
        name: 'My GPT',
        secret: 'from the environment',
        redirectUris: ['https://chat.openai.com/aip/g-1/oauth/callback'],
        scopes: ['read'],
        pkce: 'optional',
        tokenEndpointAuthMethod: 'client_secret_basic',
      },
      { id: 'second', secret: 'from a file, long enough', redirectUris: ['https://a.example/cb'] },
      { id: 'cli', tokenEndpointAuthMethod: 'none', redirectUris: ['http://127.0.0.1/cb'] },
    ])
  })

  it('say what is wrong with them, and where', async () => {
    const text = `clients:
  - { id: one, secret: long enough to be one, redirectUris: ['https://a.example/#x'] }
  - { id: two, redirectUris: [https://a.example/cb], tokenEndpointAuthMethod: none, pkce: optional }
  - { id: six, secret: long enough to be one, redirectUris: [https://a.example/cb], scopes: [wrote] }
  - { id: six, secret: long enough to be one, redirectUris: [https://a.example/cb] }
scopes: [write]
`
    expect((await load(text)).problems).toEqual([
      expect.stringMatching(
        /^gatehouse.yaml:2:\d+: clients\[0\].redirectUris cannot be taken: .*fragment/,
      ),
      'gatehouse.yaml:3:91: clients[1].pkce cannot be optional for a client without a secret',
      'gatehouse.yaml:4:93: clients[2].scopes names wrote, which scopes does not have',
      "gatehouse.yaml:5:11: clients[3].id is six, as another client's; describe each once",
    ])
    const none =
      'clients: [{ id: abc, secret: b, scopes: [], redirectUris: [https://a.example/cb] }]'
    expect((await load(none)).problems).toEqual([
      'gatehouse.yaml:1:41: clients[0].scopes must name scopes; leave it out for a client that may have all',
    ])
    expect((await load('clients: [{ id: abc, secrte: x, redirectUris: [] }]')).problems).toEqual([
      expect.stringContaining('clients[0].redirectUris must not be empty'),
      'gatehouse.yaml:1:30: clients[0].secrte is not a setting; did you mean clients[0].secret?',
    ])
  })

  it('with a secret are not for static mode, which hands its client to everyone (R2)', async () => {
    const mode = 'registration: { mode: static, static: { clientId: chatgpt } }'
    const env = { OAUTH_CLIENT_SECRET: 'chosen by the owner' }
    expect((await load(mode, env)).problems).toEqual([
      expect.stringMatching(
        /^OAUTH_CLIENT_SECRET: client.secret contradicts registration.mode static, /,
      ),
    ])
    const open = 'client: { tokenEndpointAuthMethod: none }\n'
    expect((await load(open + mode)).problems).toEqual([])
  })
})
