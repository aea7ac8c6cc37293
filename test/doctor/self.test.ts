/** `gatehouse doctor --self` as a process: each installation has one thing wrong, and it says which. */
import { chmod, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SelfFacts } from '../../src/doctor/self/self-facts.ts'
import { findSelfFaults } from '../../src/doctor/self/self-faults.ts'
import { createFolder, type Running, runCommand, startCommand } from '../cli/command.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'

let folder: string
let backend: string
const cleanups: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await makeFolder()
  backend = `${await startHttp((_, outgoing) => sendJson(outgoing, {}))}/mcp`
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function makeFolder(): Promise<string> {
  const created = await createFolder()
  cleanups.push(created.remove)
  return created.folder
}

async function startHttp(answer: (path: string, outgoing: ServerResponse) => void) {
  const server: Server = createServer((incoming, outgoing) => answer(incoming.url ?? '/', outgoing))
  cleanups.push(() => closeNow(server))
  return listenOnLoopback(server)
}

/** An address at which nobody listens; somebody else could take it before us, and the test would say so. */
async function findFreeOrigin(): Promise<string> {
  const server = createServer()
  const origin = await listenOnLoopback(server)
  await closeNow(server)
  return origin
}

function sendJson(outgoing: ServerResponse, body: unknown): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A proxy that passes requests on, and of which a test changes the answers. */
async function startProxy(
  change: (path: string, outgoing: ServerResponse) => boolean,
): Promise<{ origin: string; leadsTo: (origin: string) => void }> {
  let target = ''
  const origin = await startHttp((path, outgoing) => {
    if (change(path, outgoing)) return
    void fetch(target + path).then(async (answer) => {
      outgoing.writeHead(answer.status, { 'content-type': 'application/json' })
      outgoing.end(await answer.text())
    })
  })
  return {
    origin: origin.replace('127.0.0.1', 'localhost'),
    leadsTo: (to) => {
      target = to
    },
  }
}

async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

/** Serves over the data in a folder; returns its issuer and where it listens. */
async function serve(cwd: string, ...args: string[]) {
  const running = startCommand(['serve', '--to', backend, '--port', '0', ...args], { cwd })
  cleanups.push(() => stop(running))
  const printed = await running.until(/Issuer +\S+\n[\s\S]*setup\?token=/)
  const issuer = /Issuer +(\S+)/.exec(printed)?.[1] ?? ''
  return { issuer, running }
}

/** What depends on the machine that runs the tests. */
const machine = /^(?:disk-low|open-files-few|memory-small)$/

interface Looked {
  readonly code: number | null
  readonly ids: string[]
  readonly text: string
}

async function look(
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Looked> {
  const { code, stdout } = await runCommand(['doctor', '--self', '--json', ...args], { cwd, env })
  const { findings } = JSON.parse(stdout) as { findings: { id: string }[] }
  return { code, ids: findings.map(({ id }) => id).filter((id) => !machine.test(id)), text: stdout }
}

describe('gatehouse doctor --self', () => {
  it('finds nothing wrong with a server that runs, and says what it looked at', async () => {
    const { issuer } = await serve(folder)
    const args = ['--to', backend, '--public-url', issuer]
    expect(await look(folder, args)).toMatchObject({ code: 0, ids: [] })
    const { stdout, code } = await runCommand(['doctor', '--self', ...args], { cwd: folder })
    expect(code).toBe(0)
    expect(stdout).toContain('Public URL   answers 200')
    expect(stdout).toMatch(/Signing key +\S+, ES256, the next one is due /)
    expect(stdout).toContain(`${backend} answers`)
  })

  it('changes nothing where there is nothing yet', async () => {
    const { ids, code } = await look(folder, ['--to', backend])
    expect([code, ids]).toEqual([1, ['self-unreachable', 'store-missing']])
    expect((await runCommand(['store', 'status'], { cwd: folder })).stdout).toContain('none')
  })

  it('names a problem of the configuration, with exit code 2', async () => {
    await writeFile(join(folder, 'gatehouse.yaml'), `to: ${backend}\nlifetime: forever\nprot: 1\n`)
    const { code, ids, text } = await look(folder, ['--config', 'gatehouse.yaml'])
    expect(code).toBe(2)
    expect(new Set(ids)).toEqual(new Set(['configuration-problem']))
    expect(text).toContain('prot')
  })

  it('names a configuration file that is not there, and no setting', async () => {
    const args = ['doctor', '--self', '--config', 'nope.yaml']
    const { code, stdout } = await runCommand(args, { cwd: folder })
    expect(code).toBe(2)
    expect(stdout).toContain('Seen       nope.yaml cannot be read')
    expect(stdout).toContain('Change     Correct nope.yaml;')
    expect(stdout).not.toContain('Gatehouse  ')
  })

  it('wants no address, and a command without any says what there is', async () => {
    const both = await runCommand(['doctor', 'http://127.0.0.1:9/mcp', '--self'])
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('leave the address out')])
    const neither = await runCommand(['doctor'])
    expect([neither.code, neither.stderr]).toEqual([2, expect.stringContaining('--self')])
  })
})

describe('gatehouse doctor --self on the way in', () => {
  const ways: readonly (readonly [
    string,
    string,
    (path: string, out: ServerResponse) => boolean,
  ])[] = [
    [
      'a page of the proxy',
      'self-not-gatehouse',
      (_, out) => Boolean(out.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello')),
    ],
    [
      'a redirect',
      'self-redirected',
      (_, out) => Boolean(out.writeHead(301, { location: 'https://www.example/' }).end()),
    ],
    [
      'a metadata document of another issuer',
      'self-issuer-differs',
      (path, out) => {
        if (!path.endsWith('oauth-authorization-server')) return false
        sendJson(out, { issuer: 'http://127.0.0.1:8787' })
        return true
      },
    ],
    [
      'a resource that is not passed on',
      'self-resource-differs',
      (path, out) =>
        path.includes('protected-resource') && Boolean(out.writeHead(404).end('Not found')),
    ],
    [
      'a clock an hour ahead',
      'clock-differs',
      (_, out) => {
        out.setHeader('date', new Date(Date.now() + 3_600_000).toUTCString())
        return false
      },
    ],
  ]
  it.each(ways)('names %s', async (_, id, change) => {
    const proxy = await startProxy(change)
    const at = await findFreeOrigin()
    await serve(folder, '--public-url', proxy.origin, '--port', new URL(at).port)
    proxy.leadsTo(at)
    const { ids } = await look(folder, ['--to', backend, '--public-url', proxy.origin])
    expect(ids).toEqual([id])
  })

  it('names another installation that answers', async () => {
    const { issuer } = await serve(folder)
    const other = await makeFolder()
    const { running } = await serve(other, '--public-url', issuer)
    await stop(running)
    const { ids } = await look(other, ['--to', backend, '--public-url', issuer])
    expect(ids).toEqual(['self-other-installation'])
  })

  it('names it as well where there is no store at all, as in another folder', async () => {
    const { issuer } = await serve(folder)
    const { ids } = await look(await makeFolder(), ['--to', backend, '--public-url', issuer])
    expect(ids).toEqual(['self-other-installation', 'store-missing'])
  })
})

describe('gatehouse doctor --self on the data', () => {
  const data = () => join(folder, 'gatehouse-data')
  const key = () => join(data(), 'master.key')

  it.each([
    ['a master key that is gone', 'master-key-missing', () => rm(key())],
    ['another master key', 'master-key-wrong', () => writeFile(key(), `${'k'.repeat(43)}\n`)],
    ['a master key for all to read', 'files-open', () => chmod(key(), 0o644)],
    [
      'a store that is none',
      'store-unusable',
      async () => {
        await rm(join(data(), 'gatehouse.db-wal'), { force: true })
        await writeFile(join(data(), 'gatehouse.db'), 'this was a database once'.repeat(400))
      },
    ],
  ])('names %s', async (_, id, breakIt) => {
    const { issuer, running } = await serve(folder)
    await stop(running)
    await breakIt()
    const { ids } = await look(folder, ['--to', backend, '--public-url', issuer])
    expect(ids.filter((one) => one !== 'self-unreachable')).toEqual([id])
  })

  it('names a store of another issuer', async () => {
    const { running } = await serve(folder)
    await stop(running)
    const { ids } = await look(folder, ['--to', backend, '--public-url', 'http://localhost:9'])
    expect(ids).toContain('store-of-other-issuer')
  })

  it('names a store that does not answer, without its password', async () => {
    const env = { TOKEN_ENCRYPTION_KEY: 'k'.repeat(43) }
    const args = ['--to', backend, '--store', 'redis://user:hidden-password@127.0.0.1:9']
    const { ids, text } = await look(folder, args, env)
    expect(ids).toContain('store-unusable')
    expect(text).not.toContain('hidden-password')
  })
})

describe('gatehouse doctor --self on what lies outside', () => {
  it('names a provider that cannot be reached, and a backend that does not answer', async () => {
    const file = join(folder, 'gatehouse.yaml')
    const provider =
      'type: oidc\n    id: work\n    issuer: http://127.0.0.1:9\n    clientId: a\n    clientSecret: b'
    await writeFile(file, `to: http://127.0.0.1:9/mcp\nproviders:\n  - ${provider}\n`)
    const { ids, code } = await look(folder, ['--config', file])
    expect(code).toBe(1)
    expect(ids).toEqual(expect.arrayContaining(['provider-unreachable', 'backend-problem']))
  })
})

describe('what an installation is judged by', () => {
  const sound: SelfFacts = {
    now: 1_800_000_000,
    publicUrl: 'https://auth.example',
    warnings: [],
    address: { resources: [] },
    data: {
      place: 'SQLite data/gatehouse.db',
      driver: 'sqlite',
      schema: 3,
      newestSchema: 3,
      masterKey: { from: 'file', path: 'data/master.key' },
      disk: { path: 'data', freeBytes: 40e9, totalBytes: 100e9, isWritable: true },
      files: [{ path: 'data', mode: 0o700 }],
    },
    keys: {
      algorithm: 'ES256',
      rotationSeconds: 2_592_000,
      signer: { kid: 'k1', algorithm: 'ES256', activeAt: 1_799_000_000 },
    },
    providers: [],
    backends: [],
    process: { openFiles: 65_536 },
  }
  const { data, keys } = sound
  const disk = { path: 'data', freeBytes: 40e9, totalBytes: 100e9, isWritable: true }
  const signer = { kid: 'k1', algorithm: 'ES256', activeAt: 1_790_000_000 }

  const cases: readonly (readonly [string, Partial<SelfFacts>, readonly string[]])[] = [
    ['nothing, where all is well', {}, []],
    ['a full disk', { data: { ...data, disk: { ...disk, freeBytes: 1e6 } } }, ['disk-full']],
    ['a nearly full disk', { data: { ...data, disk: { ...disk, freeBytes: 4e9 } } }, ['disk-low']],
    [
      'a disk for reading only',
      { data: { ...data, disk: { ...disk, isWritable: false } } },
      ['disk-read-only'],
    ],
    ['an older schema', { data: { ...data, schema: 2 } }, ['store-schema-old']],
    [
      'a half copy',
      { data: { ...data, unfinishedCopy: 'SQLite old.db' } },
      ['store-copy-unfinished'],
    ],
    [
      'a forgetful Redis',
      { data: { ...data, durability: { appendOnly: 'no' } } },
      ['store-forgets'],
    ],
    [
      'a forgetful PostgreSQL',
      { data: { ...data, durability: { fsync: 'off' } } },
      ['store-forgets'],
    ],
    ['a key that nobody replaced', { keys: { ...keys, signer } }, ['signing-key-overdue']],
    ['a key whose successor is published', { keys: { ...keys, signer, hasNext: true } }, []],
    [
      'a key of another algorithm',
      { keys: { ...keys, algorithm: 'EdDSA' } },
      ['signing-key-algorithm'],
    ],
    ['few open files', { process: { openFiles: 256 } }, ['open-files-few']],
    ['little memory', { process: { memoryBytes: 64e6 } }, ['memory-small']],
    [
      'a provider that refuses us',
      { providers: [{ id: 'google', label: 'Google', problem: 'it refuses the client secret' }] },
      ['provider-problem'],
    ],
    [
      'a warning of the configuration',
      { warnings: [{ place: 'gatehouse.yaml:1:1', setting: 'debug', problem: 'is true' }] },
      ['configuration-warning'],
    ],
  ]
  it.each(cases)('%s', (_, change, expected) => {
    expect(findSelfFaults({ ...sound, ...change }).map(({ id }) => id)).toEqual(expected)
  })
})
