/** An installation of Gatehouse in a folder of its own for each test, and `doctor --self` looking at it. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import { afterEach, beforeEach } from 'vitest'
import { createFolder, type Running, runCommand, startCommand } from '../cli/command.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'

/** The folder of the test that runs, and the address of its MCP server. */
export const here = { folder: '', backend: '' }
const cleanups: (() => Promise<unknown>)[] = []

/** Makes folder and MCP server before each test of a file, and takes everything down after it. */
export function installForEachTest(): void {
  beforeEach(async () => {
    here.folder = await makeFolder()
    here.backend = `${await startHttp((_, outgoing) => sendJson(outgoing, {}))}/mcp`
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
}

/** One more folder, gone after the test. */
export async function makeFolder(): Promise<string> {
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
export async function findFreeOrigin(): Promise<string> {
  const server = createServer()
  const origin = await listenOnLoopback(server)
  await closeNow(server)
  return origin
}

/** Answers with JSON. */
export function sendJson(outgoing: ServerResponse, body: unknown): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A proxy that passes requests on, and of which a test changes the answers. */
export async function startProxy(
  change: (path: string, outgoing: ServerResponse) => boolean,
): Promise<{ origin: string; leadsTo: (origin: string) => void }> {
  let target = ''
  const origin = await startHttp((path, outgoing) => {
    if (change(path, outgoing)) return
    void fetch(target + path).then(async (answer) => {
      const challenge = answer.headers.get('www-authenticate')
      outgoing.writeHead(answer.status, {
        'content-type': 'application/json',
        ...(challenge && { 'www-authenticate': challenge }),
      })
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

/** Ends a server at once. */
export async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

/** Serves over the data in a folder; returns its issuer. */
export async function serve(cwd: string, ...args: string[]) {
  const running = startCommand(['serve', '--to', here.backend, '--port', '0', ...args], { cwd })
  cleanups.push(() => stop(running))
  const printed = await running.until(/Issuer +\S+\n[\s\S]*setup\?token=/)
  const issuer = /Issuer +(\S+)/.exec(printed)?.[1] ?? ''
  return { issuer, running }
}

/** What depends on the machine that runs the tests. */
const machine = /^(?:disk-low|open-files-few|memory-small)$/

/** What it said of an installation. */
interface Looked {
  readonly code: number | null
  readonly ids: string[]
  readonly text: string
}

/** Looks, and tells the ids of what was found. */
export async function look(
  cwd: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Looked> {
  const { code, stdout } = await runCommand(['doctor', '--self', '--json', ...args], { cwd, env })
  const { findings } = JSON.parse(stdout) as { findings: { id: string }[] }
  return { code, ids: findings.map(({ id }) => id).filter((id) => !machine.test(id)), text: stdout }
}
