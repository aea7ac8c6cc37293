import { rm, writeFile } from 'node:fs/promises'
import {
  createServer as createHttpServer,
  type RequestListener,
  request,
  type Server,
} from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listenOnLoopback } from '../helpers/loopback.ts'
import { createFolder, type Running, runCommand, startCommand } from './command.ts'

let folder: string
let remove: () => Promise<void>
const started: Running[] = []
const backends: Server[] = []
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  remove = created.remove
})
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL')
    await ended
  }
  for (const backend of backends.splice(0)) backend.close()
  await remove()
})

function start(args: string[]): Running {
  const running = startCommand(args, { cwd: folder })
  started.push(running)
  return running
}

const serveArgs = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0']

/** A server that is none of MCP; closed after the test. */
async function startBackend(answer: RequestListener): Promise<string> {
  const server = createHttpServer(answer)
  backends.push(server)
  return listenOnLoopback(server)
}

/** Starts `serve` and waits for the end of what it prints at the start. */
async function serve(...args: string[]) {
  const running = start([...serveArgs, ...args])
  const printed = await running.until(/(setup\?token=|claude mcp add).*\n/)
  const issuer = /Issuer +(\S+)/.exec(printed)?.[1] ?? ''
  return { running, printed, issuer }
}

/** A registration of which the first half has arrived: the server said to go on. */
async function sendHalf(issuer: string) {
  const body = JSON.stringify({ redirect_uris: ['https://client.example/callback'] })
  const outgoing = request(`${issuer.replace('localhost', '127.0.0.1')}/register`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': body.length,
      expect: '100-continue',
    },
  })
  const status = new Promise<number | undefined>((resolve) => {
    outgoing.once('response', (answer) => resolve(answer.resume().statusCode))
    outgoing.once('error', () => resolve(undefined))
  })
  const goOn = new Promise((resolve) => outgoing.once('continue', resolve))
  outgoing.flushHeaders()
  await goOn
  outgoing.write(body.slice(0, 10))
  return { status, finish: () => void outgoing.end(body.slice(10)) }
}

describe('gatehouse serve', () => {
  it('prints issuer, MCP URL and the set-up link, answers, and stops on SIGTERM', async () => {
    const { running, printed, issuer } = await serve()
    expect(issuer).toMatch(/^http:\/\/localhost:\d+$/)
    expect(printed).toContain(`${issuer}/mcp  →  http://127.0.0.1:9/mcp`)
    const answer = await fetch(`${issuer}/mcp`)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain(`${issuer}/.well-known/`)
    const link = /(http\S+\/setup\?token=\S+)/.exec(printed)?.[1] ?? ''
    expect((await fetch(link)).status).toBe(200)
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stderr).toContain('Stopping')
  }, 30_000)

  it('finishes what is in flight before it stops, and does not wait after a second signal', async () => {
    const { running, issuer } = await serve()
    const half = await sendHalf(issuer)
    running.child.kill('SIGTERM')
    await running.untilAside(/Stopping/)
    half.finish()
    expect(await half.status).toBe(201)
    expect((await running.ended).code).toBe(0)

    const again = await serve('--data', 'another')
    await sendHalf(again.issuer)
    again.running.child.kill('SIGTERM')
    await again.running.untilAside(/Stopping/)
    again.running.child.kill('SIGTERM')
    expect((await again.running.ended).code).toBe(1)
  }, 30_000)

  it('lets balancers look away before it closes its port on SIGTERM (HA-10)', async () => {
    const { running, issuer } = await serve('--drain-seconds', '1')
    expect((await fetch(`${issuer}/readyz`)).status).toBe(200)
    running.child.kill('SIGTERM')
    await running.untilAside(/Leaving: \/readyz says no/)
    const asked = await fetch(`${issuer}/readyz`)
    expect(asked.status).toBe(503)
    expect(asked.headers.get('connection')).toBe('close')
    const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('connection')).toBe('close')
    expect((await running.ended).code).toBe(0)
    await expect(fetch(`${issuer}/readyz`)).rejects.toThrow()
  }, 30_000)

  it('does not wait on Ctrl-C, nor for a second signal', async () => {
    const { running } = await serve('--drain-seconds', '600')
    running.child.kill('SIGINT')
    const { code, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stderr).not.toContain('Leaving')

    const again = await serve('--drain-seconds', '600', '--data', 'another')
    again.running.child.kill('SIGTERM')
    await again.running.untilAside(/Leaving/)
    again.running.child.kill('SIGTERM')
    expect((await again.running.ended).code).toBe(1)
  }, 30_000)

  it('notices that its data folder was removed, says so once and is not ready', async () => {
    const { running, issuer } = await serve()
    expect((await fetch(`${issuer}/readyz`)).status).toBe(200)
    await rm(join(folder, 'gatehouse-data'), { recursive: true })
    for (let time = 0; time < 3; time += 1) {
      expect((await fetch(`${issuer}/readyz`)).status).toBe(503)
    }
    expect((await fetch(`${issuer}/healthz`)).status).toBe(200)
    running.child.kill('SIGTERM')
    const { stderr } = await running.ended
    expect(stderr.match(/The store was removed or replaced/g)).toHaveLength(1)
  }, 30_000)

  it('says that the data folder is a file', async () => {
    await writeFile(join(folder, 'data'), 'text')
    const { code, stderr } = await start([...serveArgs, '--data', 'data']).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^Error: \S+data cannot be a folder, because a file is in its place; choose .*--data/,
    )
    expect(stderr.trim().split('\n')).toHaveLength(1)
  }, 30_000)

  it('knows at once what commands change beside it', async () => {
    const { issuer } = await serve()
    const client = [
      'clients',
      'add',
      '--redirect-uri',
      'https://a.example/cb',
      '--id',
      'mine',
      '--json',
    ]
    const authorize = `${issuer}/authorize?response_type=code&client_id=mine&redirect_uri=https%3A%2F%2Fa.example%2Fcb&code_challenge=${'c'.repeat(43)}&code_challenge_method=S256`
    expect((await fetch(authorize, { redirect: 'manual' })).status).toBe(400)
    const added = await runCommand(client, { cwd: folder })
    expect(JSON.parse(added.stdout)).toMatchObject({ token_url: `${issuer}/token` })
    expect((await fetch(authorize, { redirect: 'manual' })).status).toBeLessThan(400)

    const token = await runCommand(['admin-token'], { cwd: folder })
    const metrics = await fetch(`${issuer}/metrics`, {
      headers: { authorization: `Bearer ${token.stdout.trim()}` },
    })
    expect(metrics.status).toBe(200)
    expect(await metrics.text()).toContain('gatehouse_')
  }, 60_000)

  it('serves metrics on a port of their own when configured (OP-06)', async () => {
    const finder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => finder.once('listening', resolve))
    const address = finder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise((resolve) => finder.close(resolve))
    const running = startCommand(serveArgs, {
      cwd: folder,
      env: { GATEHOUSE_METRICS_PORT: String(port) },
    })
    started.push(running)
    await running.until(/is up/)
    const origin = `http://127.0.0.1:${port}`
    expect(await (await fetch(`${origin}/metrics`)).text()).toContain('process_cpu')
    expect((await fetch(`${origin}/authorize`)).status).toBe(404)
  }, 30_000)

  it('warns loudly without sign-in (A7)', async () => {
    const running = start([...serveArgs, '--no-sign-in'])
    const printed = await running.until(/claude mcp add.*\n/)
    expect(printed).not.toContain('setup?token=')
    running.child.kill('SIGINT')
    expect((await running.ended).stderr).toContain('WARNING: sign-in is off')
  }, 30_000)

  it('warns of an MCP server that does not answer, and goes on', async () => {
    const { running, issuer } = await serve()
    await running.untilAside(/WARNING: http:\/\/127\.0\.0\.1:9\/mcp does not answer/)
    expect((await fetch(`${issuer}/healthz`)).status).toBe(200)
  })

  it('warns of a path where nothing is, and of a server that asks for OAuth itself', async () => {
    const empty = await startBackend((_, outgoing) => outgoing.writeHead(404).end())
    const guarded = await startBackend((_, outgoing) => {
      outgoing.writeHead(401, { 'www-authenticate': 'Bearer resource_metadata="https://x"' }).end()
    })
    const one = start(['serve', '--to', `${empty}/mpc`, '--port', '0', '--data', 'one'])
    const other = start(['serve', '--to', `${guarded}/mcp`, '--port', '0', '--data', 'other'])
    await one.untilAside(/WARNING: \S+\/mpc answers, but has nothing at this path/)
    await other.untilAside(/WARNING: \S+ asks for OAuth itself/)
  })

  it('knows a server of the old transport by its stream, and says which setting it needs (N2)', async () => {
    const old = await startBackend((incoming, outgoing) => {
      if (incoming.method !== 'GET') return outgoing.writeHead(404).end()
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      return outgoing.write('event: endpoint\ndata: /messages?sessionId=1\n\n')
    })
    const one = start(['serve', '--to', `${old}/sse`, '--port', '0', '--data', 'one'])
    await one.untilAside(/WARNING: \S+\/sse speaks the old HTTP\+SSE transport: set transport: sse/)
  })

  it('refuses no-sign-in on a public URL (A7)', async () => {
    const { code, stderr } = await start([
      ...serveArgs,
      '--no-sign-in',
      '--public-url',
      'https://mcp.example.com',
    ]).ended
    expect(code).toBe(2)
    expect(stderr).toContain('--no-sign-in: noSignIn is for this machine only')
  }, 30_000)

  it('says that the port is taken, before it touches the data folder', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    const { code, stderr } = await start(['serve', '--to', 'http://a.example/mcp', '--port', port])
      .ended
    taken.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^Error: Port ${port} on 127\\.0\\.0\\.1 is in use; .*--port`),
    )
    expect((await runCommand(['users', 'list'], { cwd: folder })).stderr).toContain(
      'no data folder',
    )
  }, 30_000)

  it('lists what is wrong and ends with exit code 2', async () => {
    const bad = ['serve', '--to', 'nonsense', '--port', 'http', '--public-url', 'http://a.example']
    const { code, stderr } = await start(bad).ended
    expect(code).toBe(2)
    expect(stderr).toContain('  --to: to must be the http(s) URL of an MCP server')
    expect(stderr).toContain('  --port: port must be a number')
    expect(stderr).toContain('  --public-url: publicUrl must begin with https://')
    const { stderr: nothing } = await start(['serve']).ended
    expect(nothing).toContain('say what to protect, for example --to http://127.0.0.1:3000/mcp')
  }, 30_000)

  it('refuses data that belong to another issuer, and says what to do', async () => {
    const { running } = await serve('--public-url', 'https://one.example')
    running.child.kill('SIGTERM')
    await running.ended
    const { code, stderr } = await start([...serveArgs, '--public-url', 'https://two.example'])
      .ended
    expect(code).toBe(1)
    expect(stderr).toContain('--accept-new-issuer')
    await serve('--public-url', 'https://two.example', '--accept-new-issuer')
  }, 60_000)
})

describe('gatehouse demo', () => {
  const upTo = /Press Ctrl\+C to stop\.\n/

  it('starts with an owner to sign in as and tells what to paste where; the notes stay', async () => {
    const first = start(['demo', '--port', '0'])
    const printed = await first.until(upTo)
    const issuer = /Issuer +(\S+)/.exec(printed)?.[1] ?? ''
    for (const words of [
      'Claude Code',
      'Codex',
      'Visual Studio Code',
      'Inspector',
      'ChatGPT',
      `${issuer}/mcp`,
    ]) {
      expect(printed).toContain(words)
    }
    const password = /Password +(\S+)/.exec(printed)?.[1] ?? ''
    expect(password).toHaveLength(16)
    expect((await fetch(`${issuer}/mcp`)).status).toBe(401)
    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).toMatchObject({
      scopes_supported: expect.arrayContaining(['notes:read', 'notes:write']),
    })
    first.child.kill('SIGTERM')
    expect((await first.ended).code).toBe(0)

    const again = start(['demo', '--port', '0'])
    expect(await again.until(upTo)).toContain(password)
    const users = await runCommand(['users', 'list', '--json', '--data', join(folder, 'demo-data')])
    expect(JSON.parse(users.stdout)).toMatchObject([{ login: 'owner@example.com', role: 'owner' }])
  }, 60_000)

  it('does not show a password that was changed since', async () => {
    const first = start(['demo', '--port', '0'])
    const old = /Password +(\S+)/.exec(await first.until(upTo))?.[1] ?? ''
    expect(old).toHaveLength(16)
    const data = join(folder, 'demo-data')
    const changed = await runCommand(
      ['users', 'passwd', 'owner@example.com', '--password-stdin', '--data', data],
      { input: 'another battery entirely\n' },
    )
    expect(changed.code).toBe(0)
    first.child.kill('SIGTERM')
    await first.ended

    const printed = await start(['demo', '--port', '0']).until(upTo)
    expect(printed).not.toContain(old)
    expect(printed).toMatch(/E-mail +owner@example\.com\n +Password +the one you set/)
  }, 60_000)

  it('ends when its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    const { code, stderr } = await start(['demo', '--port', port]).ended
    taken.close()
    expect(code).toBe(1)
    expect(stderr).toContain(`Port ${port} on 127.0.0.1 is in use`)
  }, 30_000)

  it('does without an owner when asked (A7)', async () => {
    const printed = await start(['demo', '--port', '0', '--no-sign-in']).until(upTo)
    expect(printed).not.toContain('Password')
  }, 30_000)
})
