/**
 * Runs the packed program as somebody who installed it: `node scripts/try-package.ts PACKAGE.tgz`. Tests run from
 * the sources; what only a build can break (a bundle that lacks a part, a worker that is not found) shows here.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** How long the start and the stop may take, in milliseconds. */
const patienceMs = 20_000

/** Started by its address and meant for a thread. */
const worker = 'sqlite-worker.js'

const [archive = ''] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-package-'))
try {
  const unpacked = spawnSync('tar', ['-xzf', resolve(archive), '-C', folder], { encoding: 'utf8' })
  if (unpacked.status !== 0) throw new Error(`${archive} cannot be unpacked: ${unpacked.stderr}`)
  const root = join(folder, 'package')
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'), 'junction')
  await loadAll(join(root, 'dist/cli'))
  await serveOnce(root)
  console.log('The package loads, serves, is ready, and stops')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Every part of the command line finds what it imports. */
async function loadAll(cli: string): Promise<void> {
  const parts = readdirSync(cli).filter((name) => name.endsWith('.js') && name !== worker)
  for (const name of parts) await import(pathToFileURL(join(cli, name)).href)
}

async function serveOnce(root: string): Promise<void> {
  const bin = join(root, 'bin/gatehouse.js')
  const data = join(root, 'data')
  const options = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0', '--data', data]
  const child = spawn(process.execPath, [bin, ...options])
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  try {
    const issuer = await readIssuer(child)
    const ready = await fetch(`${issuer}/readyz`)
    if (ready.status !== 200) throw new Error(`/readyz answered ${ready.status}`)
    const list = [bin, 'clients', 'list', '--json', '--data', data]
    const listed = spawnSync(process.execPath, list, { encoding: 'utf8' })
    if (listed.stdout.trim() !== '[]') throw new Error(`clients list: ${listed.stderr}`)
    child.kill('SIGTERM')
    const [code] = await ended
    if (code !== 0) throw new Error(`It ended with code ${String(code)}`)
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}

/** Where it serves, once it is up. */
function readIssuer({ stdout, stderr }: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolveIssuer, reject) => {
    let said = ''
    const hear = (text: Buffer) => {
      said += String(text)
      const [, issuer] = /Issuer +(\S+)[^]*MCP URL/.exec(said) ?? []
      if (issuer !== undefined) resolveIssuer(issuer)
    }
    stderr.on('data', hear)
    stdout.on('data', hear).once('end', () => reject(new Error(`It was never up:\n${said}`)))
  })
}
