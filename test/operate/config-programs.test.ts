/** Backends that are programs, as they are configured (X10). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import { createConfig } from '../../src/config.ts'
import { type ConfigSources, loadConfig } from '../../src/operate/config/load.ts'
import { renderProblem } from '../../src/operate/config/problems.ts'
import { readProgramEnvironment } from '../../src/operate/config/program-environment.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { instantUpstream } from '../helpers/instant-upstream.ts'
import { loadSettings } from './load-settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-programs-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function write(text: string): Promise<string> {
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, text)
  return file
}

function findProblems(sources: ConfigSources): string[] {
  const loaded = loadConfig({ env: {}, ...sources })
  if (loaded.ok) throw new Error('expected problems')
  return loaded.problems.map((problem) => renderProblem(problem).replaceAll(`${folder}/`, ''))
}

const flag = (path: string, value: unknown, place = '--') => ({
  path: path.split('.'),
  value,
  place,
})

describe('a program in the configuration', () => {
  it('is written as desktop clients have it; secrets may stand elsewhere', async () => {
    await writeFile(join(folder, 'key'), 'from a file\n')
    const file = await write(`
backends:
  - id: files
    command: npx
    args: [-y, server, '']
    env: { A: text, B: { env: B }, C: { file: key }, D: { caller: email } }
    cwd: data
    processes: { most: 5, perUser: 2, idleSeconds: 60 }
`)
    expect(loadSettings({ file, env: { B: 'from a variable' } }).backends).toEqual([
      {
        id: 'files',
        command: 'npx',
        args: ['-y', 'server', ''],
        env: { A: 'text', B: 'from a variable', C: 'from a file', D: { caller: 'email' } },
        cwd: join(folder, 'data'),
        processes: { most: 5, perUser: 2, idleSeconds: 60 },
      },
    ])
  })

  it('may be the only one without a list, from any source', async () => {
    const file = await write('command: [npx, server]\nenv: { A: b }\n')
    const served = [{ command: ['npx', 'server'], env: { A: 'b' } }]
    expect(loadSettings({ file }).backends).toEqual(served)
    expect(loadSettings({ env: { GATEHOUSE_COMMAND: '[npx, server]' } }).backends).toEqual([
      { command: ['npx', 'server'] },
    ])
    const flags = [flag('command', ['npx', 'other']), flag('env.KEY', { env: 'KEY' }, '--pass-env')]
    expect(loadSettings({ file, flags, env: { KEY: 'secret' } }).backends).toEqual([
      { command: ['npx', 'other'], env: { A: 'b', KEY: 'secret' } },
    ])
  })

  it('takes the place of the only server when a flag says so, and the other way round', async () => {
    const listening = await write('backends: [{ name: Notes, to: "http://127.0.0.1:3000/mcp" }]\n')
    expect(
      loadSettings({ file: listening, flags: [flag('command', ['npx', 's'])] }).backends,
    ).toEqual([{ name: 'Notes', command: ['npx', 's'] }])
    const started = await write('backends: [{ name: Notes, command: npx, args: [s] }]\n')
    const to = 'http://127.0.0.1:3000/mcp'
    expect(loadSettings({ file: started, flags: [flag('to', to, '--to')] }).backends).toEqual([
      { name: 'Notes', to },
    ])
  })

  it.each([
    ['to: "http://127.0.0.1/mcp"\ncommand: npx', 'contradicts'],
    [
      'backends: [{ command: npx, to: "http://127.0.0.1/mcp" }]',
      'backends[0].to contradicts command',
    ],
    ['backends: [{ command: npx, identity: headers }]', 'backends[0].identity cannot reach'],
    ['backends: [{ command: npx, headers: { a: b } }]', 'backends[0].headers cannot reach'],
    ['backends: [{ command: npx, transport: sse }]', 'backends[0].transport is about'],
    [
      'backends: [{ to: "http://127.0.0.1/mcp", args: [a] }]',
      'backends[0].args is about a program',
    ],
    ['backends: [{ to: "http://127.0.0.1/mcp" }]\nenv: { A: b }', 'env is about the one program'],
    ['backends: [{ command: a, id: a }, { command: b, id: b }]\ncommand: c', 'names one backend'],
    ['backends: [{ command: a }]\ncommand: c', 'contradicts backends[0].command'],
    [
      'command: npx\nargs: [server]',
      'args is not a setting here, but one of a backend: backends[0].args',
    ],
    ['command: []', 'command'],
    ['command: npx\nenv: { A: { caller: shoe-size } }', '{ caller: user-id |'],
    ['command: npx\nenv: { A: { env: NOPE } }', 'NOPE'],
    ['command: npx\nenv: { "A=B": c }', 'must be the name of a variable'],
    ['command: npx\nenv: { A: { caller: upstream-token } }', 'needs people who sign in with'],
    ['command: npx\nenv: { A: { caller: email } }\noauthEnabled: false', 'every caller in its env'],
    ['backends: [{ command: npx, processes: { most: 0 } }]', 'processes.most'],
    ['mcpServers: { files: { command: npx } }', 'each server in it is an element of backends'],
    ['backends: [{ command: npx, comand: npx }]', 'did you mean backends[0].command?'],
  ])('that cannot be is told with its place: %s', async (text, problem) => {
    const problems = findProblems({ file: await write(text) })
    expect(problems.join('\n')).toContain(problem)
    expect(problems.join('\n')).toContain('gatehouse.yaml:')
  })
})

describe('a program in the options of an embedder', () => {
  const configure = (backend: BackendOptions, options: Partial<GatehouseOptions> = {}) =>
    createConfig({
      issuer: 'https://mcp.example.com',
      backends: [backend],
      masterKey: new Uint8Array(32),
      store: memoryStore({ clock: { now: () => 0 } }),
      ...options,
    }).backends[0]

  it('has its defaults', () => {
    expect(configure({ command: ['npx', '-y'], args: ['server'] })?.program).toEqual({
      command: 'npx',
      args: ['-y', 'server'],
      env: {},
      maxProcesses: 100,
      maxProcessesPerUser: 16,
      idleSeconds: 600,
    })
    expect(configure({ command: 'a', processes: { most: 3 } })?.program).toMatchObject({
      maxProcessesPerUser: 3,
    })
  })

  it('keeps the tokens of providers, as one that they are forwarded to', () => {
    const env = { TOKEN: { caller: 'upstream-token' as const } }
    expect(() => configure({ command: 'a', env })).toThrow(/needs an identity provider/)
    const upstreams = [instantUpstream(() => 'https://mcp.example.com')]
    expect(configure({ command: 'a', env }, { upstreams })).toMatchObject({
      forward: 'upstream-token',
    })
  })

  it.each<[string, BackendOptions]>([
    ['no program', { command: '' }],
    ['an empty list', { command: [] }],
    ['arguments without a program', { args: ['a'] }],
    ['an address beside it', { command: 'a', to: 'http://127.0.0.1/mcp' }],
    ['header fields', { command: 'a', headers: { a: 'b' } }],
    ['a NUL character', { command: 'a', args: ['b\0c'] }],
    ['no name of a variable', { command: 'a', env: { 'b c': 'd' } }],
    ['no number', { command: 'a', processes: { most: 1.5 } }],
  ])('is refused with %s', (_, backend) => {
    expect(() => configure(backend)).toThrow(TypeError)
  })
})

it('is not called missing as well where two say it', async () => {
  const file = await write('to: "http://127.0.0.1:3000/mcp"\ncommand: npx\n')
  const problems = findProblems({ file, needsBackend: true, needsMasterKey: false })
  expect(problems.length).toBeGreaterThan(0)
  expect(problems.filter((problem) => problem.includes('is missing'))).toEqual([])
})

describe('what a program gets of our environment', () => {
  it('is what any program needs, and no function of a shell', () => {
    const env = {
      PATH: '/bin',
      HOME: '/home/a',
      LANG: '() { :; }',
      TOKEN_ENCRYPTION_KEY: 'secret',
      NODE_OPTIONS: '--inspect',
    }
    expect(readProgramEnvironment(env, 'linux')).toEqual({ PATH: '/bin', HOME: '/home/a' })
    expect(readProgramEnvironment({ APPDATA: 'a', HOME: 'b' }, 'win32')).toEqual({ APPDATA: 'a' })
  })

  it('has where certificates are, and no proxy, whose address may hold a password', () => {
    const trusted = { NODE_EXTRA_CA_CERTS: '/a.pem', SSL_CERT_FILE: '/b.pem', SSL_CERT_DIR: '/c' }
    const env = { ...trusted, HTTPS_PROXY: 'http://me:secret@proxy.example.com' }
    for (const platform of ['linux', 'win32'] as const)
      expect(readProgramEnvironment(env, platform)).toEqual(trusted)
  })
})
