import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigSources, loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { openMasterKey, parseKeyBytes } from '../../src/operate/config/secrets.ts'
import { loadSettings } from './load-settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-config-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function writeConfig(text: string, name = 'gatehouse.yaml'): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

function findProblems(sources: ConfigSources): string[] {
  const loaded = loadConfig({ env: {}, ...sources })
  if (loaded.ok) throw new Error('expected problems')
  return loaded.problems.map((problem) => renderProblem(problem).replaceAll(`${folder}/`, ''))
}

const key = 'k'.repeat(43)

describe('the configuration', () => {
  it('needs nothing: the issuer is localhost on port 8787', () => {
    expect(loadSettings({})).toMatchObject({
      publicUrl: 'http://localhost:8787',
      publicUrlGiven: false,
      host: '127.0.0.1',
      port: 8787,
      noSignIn: false,
    })
  })

  it('lists every problem at once, each with its place and the way out', async () => {
    const file = await writeConfig(`publicUrl: http://mcp.example.com
prot: 99
backends:
  - to: ftp://x
    idd: a
log:
  levl: debug
  format: xml
lifetimes:
  codeSeconds: 9999
github:
  clientId: abc
  clientSecret: { env: NOPE }
scopes:
  "a b": Foo
`)
    const env = { GATEHOUSE_PROT: '1', GATEHOUSE_PORT: 'http' }
    const flags = [{ path: ['host'], value: '', place: '--host' }]
    expect(findProblems({ file, env, flags }).sort()).toEqual(
      [
        '--host: host must not be empty',
        'GATEHOUSE_PORT: port must be a number',
        'GATEHOUSE_PROT is not a setting; did you mean GATEHOUSE_PORT?',
        'gatehouse.yaml:1:12: publicUrl must begin with https:// (http:// is for localhost only): https://mcp.example.com',
        'gatehouse.yaml:2:7: prot is not a setting; did you mean port?',
        'gatehouse.yaml:4:9: backends[0].to must be the http(s) URL of an MCP server, such as http://127.0.0.1:3000/mcp',
        'gatehouse.yaml:5:10: backends[0].idd is not a setting; did you mean backends[0].id?',
        'gatehouse.yaml:7:9: log.levl is not a setting; did you mean log.level?',
        'gatehouse.yaml:8:11: log.format must be one of json, text',
        'gatehouse.yaml:10:16: lifetimes.codeSeconds must be at most 600',
        'gatehouse.yaml:13:17: github.clientSecret names the environment variable NOPE, which is not set',
        'gatehouse.yaml:15:10: scopes.a b has a bad name: must be a scope name: no spaces, quotes or backslashes',
      ].sort(),
    )
  })

  it('says where YAML is broken', async () => {
    const file = await writeConfig('port: 1\nhost: [unclosed\n')
    expect(findProblems({ file })[0]).toMatch(/^gatehouse\.yaml:\d+:\d+ /)
  })

  it('reads JSON as well, and names the place in it', async () => {
    const file = await writeConfig('{\n  "port": 9000,\n  "hots": "x"\n}', 'gatehouse.json')
    expect(findProblems({ file })).toEqual([
      'gatehouse.json:3:11: hots is not a setting; did you mean host?',
    ])
  })

  it('says that a file cannot be read', () => {
    expect(findProblems({ file: join(folder, 'none.yaml') })[0]).toContain(
      'none.yaml cannot be read',
    )
  })

  it('lets the environment win over the file and flags over both', async () => {
    const file = await writeConfig('port: 1001\nhost: 127.0.0.1\nsiteName: File\n')
    const env = { GATEHOUSE_PORT: '1002', GATEHOUSE_SITE_NAME: 'Environment' }
    const flags = [{ path: ['port'], value: 1003, place: '--port' }]
    expect(loadSettings({ file, env, flags })).toMatchObject({
      port: 1003,
      host: '127.0.0.1',
      siteName: 'Environment',
    })
    expect(loadSettings({ env: { ...env, GATEHOUSE_CONFIG: file } }).port).toBe(1002)
  })

  it('reads the names that deployments already use, with and without MCP_ (A1)', () => {
    const settings = loadSettings({
      env: {
        SERVER_URL: 'https://mcp.example.com/',
        OAUTH_ISSUER_URL: 'https://mcp.example.com/',
        MCP_OAUTH_VALID_SCOPES: 'read,write, payment',
        OAUTH_DEFAULT_SCOPES: 'read',
        GITHUB_CLIENT_ID: 'id',
        MCP_OAUTH_GITHUB_CLIENT_SECRET: 'secret',
        GITHUB_ALLOWED_LOGIN: 'ada, grace',
        TOKEN_ENCRYPTION_KEY: key,
      },
    })
    expect(settings).toMatchObject({
      publicUrl: 'https://mcp.example.com',
      defaultScopes: ['read'],
      providers: [
        { clientId: 'id', clientSecret: 'secret', admission: { logins: ['ada', 'grace'] } },
      ],
    })
    expect(Object.keys(settings.scopes ?? {})).toEqual(['read', 'write', 'payment'])
    expect(settings.masterKey).toHaveLength(32)
  })

  it('stops when two names of one setting contradict each other, naming both (S1)', () => {
    const env = { SERVER_URL: 'https://a.example', BASE_URL: 'https://b.example' }
    expect(findProblems({ env })).toEqual([
      'SERVER_URL, BASE_URL: publicUrl has two different values; remove one of them',
    ])
  })

  it('ignores what Kubernetes says about a service called gatehouse', () => {
    const env = {
      GATEHOUSE_PORT: 'tcp://10.0.0.1:8787',
      GATEHOUSE_PORT_8787_TCP_ADDR: '10.0.0.1',
      GATEHOUSE_SERVICE_HOST: '10.0.0.1',
    }
    expect(loadSettings({ env }).port).toBe(8787)
  })

  it('listens beyond loopback only when asked, or hosted behind https', () => {
    const publicUrl = 'https://mcp.example.com'
    expect(loadSettings({ env: { SERVER_URL: publicUrl } }).host).toBe('127.0.0.1')
    expect(loadSettings({ env: { PORT: '8080' } })).toMatchObject({ host: '127.0.0.1', port: 8080 })
    expect(loadSettings({ env: { PORT: '8080', SERVER_URL: publicUrl } }).host).toBe('0.0.0.0')
    expect(loadSettings({ env: { GATEHOUSE_HOST: '0.0.0.0' } }).host).toBe('0.0.0.0')
  })

  it.each([
    'http://mcp.example.com',
    'https://mcp.example.com/path',
    'https://mcp.example.com/?a=1',
    'https://user:pw@mcp.example.com',
    'ftp://mcp.example.com',
    'mcp.example.com',
    'http://10.0.0.1:8787',
    'http://localhost.example.com',
  ])('refuses %s as a public URL', (publicUrl) => {
    expect(findProblems({ env: { SERVER_URL: publicUrl } })[0]).toMatch(
      /^SERVER_URL: publicUrl must/,
    )
  })

  it.each(['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'http://app.localhost'])(
    'accepts %s as a public URL',
    (publicUrl) => {
      expect(loadSettings({ env: { SERVER_URL: publicUrl } }).publicUrl).toBe(publicUrl)
    },
  )

  it('refuses no-sign-in where others could reach it, unless told to let anyone in (A7)', () => {
    const open = { GATEHOUSE_NO_SIGN_IN: 'true' }
    expect(loadSettings({ env: open }).noSignIn).toBe(true)
    const words = 'GATEHOUSE_NO_SIGN_IN: noSignIn is for this machine only'
    const isPublic = { ...open, SERVER_URL: 'https://mcp.example.com' }
    expect(findProblems({ env: isPublic })[0]).toContain(words)
    expect(findProblems({ env: { ...open, GATEHOUSE_HOST: '0.0.0.0' } })[0]).toContain(words)
    expect(loadSettings({ env: { ...isPublic, GATEHOUSE_LET_ANYONE_IN: 'true' } }).noSignIn).toBe(
      true,
    )
  })

  it('asks for something to protect only when serving', () => {
    expect(loadSettings({}).backends).toEqual([])
    expect(findProblems({ needsBackend: true })[0]).toContain('--to http://127.0.0.1:3000/mcp')
  })

  it('moves the only backend with --to, and refuses when there are two', async () => {
    const flags = [{ path: ['to'], value: 'http://127.0.0.1:2/mcp', place: '--to' }]
    const one = 'backends:\n  - { id: notes, to: http://127.0.0.1:1/mcp }\n'
    const file = await writeConfig(one)
    expect(loadSettings({ file, flags }).backends).toEqual([
      { id: 'notes', to: 'http://127.0.0.1:2/mcp' },
    ])
    await writeConfig(`${one}  - { id: two, path: /two }\n`)
    expect(findProblems({ file, flags })[0]).toMatch(/^--to: to names one backend, but 2/)
  })
})

describe('secrets', () => {
  it('come from the environment or from files, relative to the configuration file', async () => {
    await writeFile(join(folder, 'secret.txt'), 'from-a-file\n')
    const file = await writeConfig(`github:
  clientId: id
  clientSecret: { file: secret.txt }
backends:
  - to: http://127.0.0.1:1/mcp
    headers: { X-Api-Key: { env: BACKEND_KEY } }
data: data
`)
    const settings = loadSettings({ file, env: { BACKEND_KEY: 'from-the-environment' } })
    expect(settings.providers[0]?.clientSecret).toBe('from-a-file')
    expect(settings.backends[0]?.headers).toEqual({ 'X-Api-Key': 'from-the-environment' })
    expect(settings.data).toBe(join(folder, 'data'))
  })

  it('can be given as NAME_FILE', async () => {
    const path = join(folder, 'key')
    await writeFile(path, `${key}\n`)
    expect(loadSettings({ env: { TOKEN_ENCRYPTION_KEY_FILE: path } }).masterKey).toHaveLength(32)
    expect(findProblems({ env: { TOKEN_ENCRYPTION_KEY_FILE: `${path}-not` } })[0]).toMatch(
      /^TOKEN_ENCRYPTION_KEY_FILE: tokenEncryptionKey names the file .* cannot be read/,
    )
  })

  it('never appear in a problem', () => {
    const short = 'too-short-a-secret'
    const [problem] = findProblems({ env: { TOKEN_ENCRYPTION_KEY: short } })
    expect(problem).toContain('shorter than 32 bytes; make one with: openssl rand -base64 32')
    expect(problem).not.toContain(short)
  })

  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7))
  it.each([
    ['hex', bytes.toString('hex')],
    ['base64', bytes.toString('base64')],
    ['base64url', bytes.toString('base64url')],
  ])('read a master key as %s', (_, text) => {
    expect(Buffer.from(parseKeyBytes(text))).toEqual(bytes)
  })

  it('read a master key as plain text when it is long enough', () => {
    const plain = 'correct horse battery staple, and then some'
    expect(Buffer.from(parseKeyBytes(plain)).toString()).toBe(plain)
  })
})

describe('the master key of a data folder', () => {
  it('is made at first use, for its owner alone, and stays', async () => {
    const data = join(folder, 'data')
    const first = openMasterKey(data, 'gatehouse.db')
    expect(first).toHaveLength(32)
    expect(openMasterKey(data, 'gatehouse.db')).toEqual(first)
    expect((await stat(join(data, 'master.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(data)).mode & 0o777).toBe(0o700)
  })

  it('is never made anew for a store that exists', async () => {
    await writeFile(join(folder, 'gatehouse.db'), '')
    expect(() => openMasterKey(folder, 'gatehouse.db')).toThrow(/master\.key is missing/)
    expect(existsSync(join(folder, 'master.key'))).toBe(false)
  })

  it('is refused when it was damaged', async () => {
    await writeFile(join(folder, 'master.key'), 'short\n')
    expect(() => openMasterKey(folder, 'gatehouse.db')).toThrow(/is shorter than 32 bytes/)
    expect(await readFile(join(folder, 'master.key'), 'utf8')).toBe('short\n')
  })
})
