/** What a start loads: each library costs every start its time, so what is not needed waits for its first use. */
import { afterEach, expect, it } from 'vitest'
import { createFolder, type Running, runCommand, startCommand } from './command.ts'

/** Prints the packages that our own sources ask for, when the process ends. */
const spy = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  const packages = new Set()
  registerHooks({
    resolve(specifier, context, resolve) {
      const found = resolve(specifier, context)
      const isForeign = found.url.includes('/node_modules/')
      if (isForeign && !context.parentURL?.includes('/node_modules/')) packages.add(specifier)
      return found
    },
  })
  process.on('exit', () => writeSync(2, '\\npackages: ' + [...packages].join(' ') + '\\n'))
`)}`
const env = { NODE_OPTIONS: `--import=${spy}` }

function readPackages(stderr: string): string[] {
  const [, names = ''] = /^packages: (.*)$/m.exec(stderr) ?? []
  return names.split(' ').toSorted()
}

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function startServe(extra: Record<string, string> = {}): Promise<Running> {
  const { folder, remove } = await createFolder()
  const running = startCommand(['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0'], {
    cwd: folder,
    env: { ...env, ...extra },
  })
  cleanups.push(async () => {
    running.child.kill('SIGKILL')
    await running.ended
    await remove()
  })
  await running.until(/claude mcp add/)
  return running
}

it('loads no library for an upstream, a backend, metrics, a file or another store before it is needed', async () => {
  const running = await startServe()
  running.child.kill('SIGTERM')
  const allowed = [
    '@hono/node-server',
    '@hono/node-server/utils/response',
    'commander',
    'hono',
    'ipaddr.js',
    'jose/jwk/thumbprint',
    'jose/key/export',
    'jose/key/generate/keypair',
    'lru-cache',
    'pino',
    'rate-limiter-flexible/lib/RateLimiterMemory.js',
    'rate-limiter-flexible/lib/RateLimiterRes.js',
    'zod',
  ]
  const loaded = readPackages((await running.ended).stderr)
  expect(loaded).toContain('zod')
  expect(loaded.filter((name) => !allowed.includes(name))).toEqual([])
}, 30_000)

it('loads what is configured', async () => {
  const running = await startServe({ GATEHOUSE_SCOPES: 'read: Read your notes' })
  running.child.kill('SIGTERM')
  expect(readPackages((await running.ended).stderr)).toContain('yaml')
}, 30_000)

it('needs the parser of the command line alone to say how it is used', async () => {
  const { stderr } = await runCommand(['--help'], { env })
  expect(readPackages(stderr)).toEqual(['commander'])
}, 30_000)
