/** `gatehouse config`: what is in force, where it comes from, what is wrong with it; and the schema for editors. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { isSecretPath } from '../../src/cli/config-values.ts'
import { loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { createFolder, type Ended, runCommand } from './command.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})

async function write(text: string): Promise<string> {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  return file
}

async function run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return runCommand(['config', ...args], { cwd: folder, env })
}

const secretText = 'nobody-may-see-this-0123456789abcdef'
const full = `$schema: ./config.schema.json
to: http://127.0.0.1:3000/mcp
store: redis://user:${secretText}@127.0.0.1:6379
tokenEncryptionKey: ${secretText}-1
jwtSecret: ${secretText}-2
backends:
  - headers: { x-api-key: ${secretText} }
client: { secret: ${secretText} }
clients:
  - { id: two, secret: { env: TWO }, redirectUris: [https://a.example/cb] }
github: { clientId: Iv1, clientSecret: ${secretText}, allowedLogins: [octocat, hubot] }
scopes: [read, write]
log: { level: warn }
`

describe('gatehouse config show', () => {
  it('prints every value with its origin, and no secret', async () => {
    const file = await write(full)
    const env = { TWO: secretText, OAUTH_ENABLED: 'true', SERVER_URL: 'https://mcp.example.com/' }
    const { code, stdout, stderr } = await run(
      ['show', '--config', file, '--data', 'elsewhere', '--json'],
      env,
    )
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).not.toContain(secretText)
    const shown = JSON.parse(stdout) as { setting: string; value: unknown; origin: string }[]
    const rows = Object.fromEntries(
      shown.map(({ setting, value, origin }) => [setting, [value, origin.replace(/^.*\//, '')]]),
    )
    expect(rows).toMatchObject({
      to: ['http://127.0.0.1:3000/mcp', 'gatehouse.yaml:2:5'],
      store: ['Redis at 127.0.0.1:6379', 'gatehouse.yaml:3:8'],
      tokenEncryptionKey: ['********', 'gatehouse.yaml:4:21'],
      'client.secret': ['********', 'gatehouse.yaml:8:19'],
      'clients[0].secret': ['******** (env TWO)', 'gatehouse.yaml:10:24'],
      'github.allowedLogins': [['octocat', 'hubot'], 'gatehouse.yaml:11:93'],
      publicUrl: ['https://mcp.example.com', 'SERVER_URL'],
      oauthEnabled: [true, 'OAUTH_ENABLED'],
      data: [join(folder, 'elsewhere'), '--data'],
      'log.level': ['warn', 'gatehouse.yaml:13:15'],
      port: [8787, 'default'],
      'lifetimes.codeSeconds': [60, 'default'],
      signingAlgorithm: ['HS256', 'jwtSecret'],
      'paths.token': ['/token', 'default'],
      clientMetadataDocuments: [true, 'default'],
    })
    expect(rows).not.toHaveProperty('$schema')
    expect(new Set(Object.keys(rows)).size).toBe(shown.length)
    const table = await run(['show', '--config', file], env)
    expect(table.stdout).toMatch(/^github\.clientSecret +\*{8} +/m)
    expect(table.stdout).not.toContain(secretText)
  })

  it('takes host and port as serve does, so that both speak of one server', async () => {
    const { stdout } = await run(['show', '--host', '::1', '--port', '4310', '--json'])
    const rows: unknown = JSON.parse(stdout)
    for (const row of [
      { setting: 'host', value: '::1', origin: '--host' },
      { setting: 'port', value: 4310, origin: '--port' },
      { setting: 'publicUrl', value: 'http://localhost:4310', origin: 'default' },
    ])
      expect(rows).toContainEqual(row)
  })

  it('without an effective configuration tells why there is none', async () => {
    const { code, stdout, stderr } = await run(['show'], { TOKEN_ENCRYPTION_KEY: 'short' })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('TOKEN_ENCRYPTION_KEY: tokenEncryptionKey is shorter than 32 bytes')
  })
})

describe('gatehouse config check', () => {
  it('does not miss clients where some may come by their metadata documents', async () => {
    const closed = 'to: http://127.0.0.1:3000/mcp\ndynamicRegistration: false\n'
    const nobody = await run(['check', '--config', await write(closed)])
    expect(nobody.stderr).toContain('no client is configured')
    const some = await write(`${closed}clientMetadataDocuments: { hosts: [chatgpt.com] }\n`)
    expect(await run(['check', '--config', some])).toMatchObject({ code: 0, stderr: '' })
  })

  it('exits with 0 and warns', async () => {
    const file = await write('to: http://127.0.0.1:3000/mcp\n')
    const good = await run(['check', '--config', file])
    expect(good).toMatchObject({ code: 0, stdout: 'The configuration can be served\n', stderr: '' })
    const warned = await run(['check', '--config', file, '--json'], {
      OAUTH_CLIENT_SECRET: 'notion',
    })
    expect(warned.code).toBe(0)
    const off = await run(['check', '--config', file], { OAUTH_ENABLED: 'no' })
    expect(off.stderr).toBe(
      'WARNING: oauthEnabled is false: everyone who reaches an MCP URL uses the server behind it\n',
    )
    expect(JSON.parse(warned.stdout)).toEqual({
      ok: true,
      problems: [],
      warnings: [
        {
          place: 'OAUTH_CLIENT_SECRET',
          setting: 'client.secret',
          problem:
            'of chatgpt has fewer than 16 characters; make one that nobody guesses: openssl rand -hex 32',
        },
      ],
    })
  })

  it('exits with 2 where serve would not know what to protect', async () => {
    const { code, stderr } = await run(['check'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('backends is missing')])
  })

  it('exits with 2 and lists each problem with its place', async () => {
    const file = await write('log: { levl: debug }\nport: 99999\n')
    const { code, stdout, stderr } = await run(['check', '--config', file, '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      problems: [{ setting: 'port' }, { setting: 'log.levl' }],
    })
    expect(stderr).toMatch(
      /gatehouse\.yaml:1:14: log\.levl is not a setting; did you mean log\.lev/,
    )
  })

  it('finds what only the whole can see', async () => {
    const file = await write('to: http://127.0.0.1:3000/mcp\npaths: { token: /mcp/token }\n')
    const { code, stderr } = await run(['check', '--config', file])
    expect(code).toBe(2)
    expect(stderr).toContain('paths.token (/mcp/token)')
  })
})

describe('warnings', () => {
  const github = { GITHUB_CLIENT_ID: 'a', GITHUB_CLIENT_SECRET: 'b' }
  const cases: [string, Record<string, string>, RegExp | undefined][] = [
    [
      'GitHub for everybody',
      github,
      /^GITHUB_CLIENT_SECRET: github.allow is not there, so that every/,
    ],
    ['GitHub for some', { ...github, GITHUB_ALLOWED_LOGIN: 'octocat' }, undefined],
    ['GitHub for the invited', { ...github, GATEHOUSE_INVITED_ONLY: 'true' }, undefined],
    ['an ephemeral disk', { K_SERVICE: 'x' }, /^store is not kept. On Cloud Run the disk goes/],
    ['a store in memory', { GATEHOUSE_STORE: 'memory:' }, /^GATEHOUSE_STORE: store is in memory/],
    [
      'a name for nothing',
      { ...github, GATEHOUSE_INVITED_ONLY: 'true', OAUTH_CLIENT_ID: 'abc' },
      /^OAUTH_CLIENT_ID is not used/,
    ],
  ]
  it.each(cases)('%s', (_, env, expected) => {
    const loaded = loadConfig({ env, needsMasterKey: false })
    const warnings = loaded.ok && loaded.settings.warnings.map(renderProblem)
    expect(warnings).toEqual(expected ? [expect.stringMatching(expected)] : [])
  })

  it('say when a flag takes the place of what is listed', async () => {
    const file = await write('backends: [{ to: http://a.example/mcp }]\n')
    const flags = [{ path: ['to'], value: 'http://b.example/mcp', place: '--to' }]
    const loaded = loadConfig({ file, env: {}, flags })
    expect(loaded.ok && loaded.settings.warnings.map(renderProblem)).toEqual([
      '--to: to http://b.example/mcp takes the place of backends[0].to, http://a.example/mcp',
    ])
  })
})

describe('config.schema.json', () => {
  const text = readFileSync(new URL('../../config.schema.json', import.meta.url), 'utf8')
  // A file of ours, made from the schema that it stands for.
  const document = JSON.parse(text) as z.core.JSONSchema.JSONSchema
  const schema = z.fromJSONSchema(document)

  it('accepts what Gatehouse does, and refuses a setting that there is not', () => {
    expect(schema.safeParse(parse(full)).error).toBeUndefined()
    for (const wrong of ['prot: 1', 'clients: [{ id: abc }]', 'signingAlgorithm: none']) {
      expect(schema.safeParse(parse(wrong)).success).toBe(false)
    }
  })

  it('has no secret that gatehouse config show would print', () => {
    const secrets = findSecrets(document, [])
    expect(secrets.length).toBeGreaterThan(20)
    expect(secrets.filter((path) => !isSecretPath(path))).toEqual([])
  })
})

/** The paths of all that may be a reference, as every secret may. */
function findSecrets(schema: unknown, path: (string | number)[]): (string | number)[][] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties, items, additionalProperties, anyOf, oneOf } = schema as Record<
    string,
    unknown
  >
  const choices = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list : []))
  const isSecret = choices.some((choice: { properties?: object }) => {
    const [only, ...others] = Object.keys(choice.properties ?? {})
    return only === 'env' && others.length === 0
  })
  const below = [
    ...Object.entries(properties ?? {}).map(([name, one]) => findSecrets(one, [...path, name])),
    findSecrets(items, [...path, 0]),
    findSecrets(additionalProperties, [...path, '*']),
    ...choices.map((choice) => findSecrets(choice, path)),
  ].flat()
  return isSecret ? [path, ...below] : below
}
