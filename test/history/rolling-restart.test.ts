/** Two processes behind a balancer are replaced one after the other under load, and nobody notices. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import { type Running, startCommand } from '../cli/command.ts'
import { type Receipt, senderTo, signIn } from '../crash/customer.ts'
import { endProcesses, type Served, startProcess } from '../crash/fail-point.ts'
import { listenOnLoopback } from '../helpers/loopback.ts'
import { registerClient } from '../helpers/oauth-client.ts'
import { type Balancer, followReadiness, startBalancer } from './balancer.ts'

const rounds = 5
const customers = 4
const callsPerToken = 3

afterEach(endProcesses)

/** An MCP server that takes a moment, so that requests are in flight when a process stops. */
async function startBackend(): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    const answer = (): unknown =>
      outgoing
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"jsonrpc":"2.0","id":1,"result":{}}')
    incoming.once('end', () => setTimeout(answer, 20))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/mcp`
}

/** What came of the load. */
interface Tally {
  answered: number
  readonly failures: string[]
}

/** Refreshes and calls the MCP server, again and again; every answer but 200 is a failure. */
async function work(
  { origin }: Balancer,
  receipt: Receipt,
  { tally, isOver }: { tally: Tally; isOver: () => boolean },
): Promise<void> {
  const ask = async (path: string, init: RequestInit): Promise<string> => {
    const answer = await senderTo(origin)(path, { method: 'POST', ...init })
    const text = await answer.text()
    if (answer.status === 200) tally.answered += 1
    else tally.failures.push(`${path}: ${answer.status} ${text}`)
    return answer.status === 200 ? text : '{}'
  }
  while (!isOver() && receipt.client) {
    const { client_id } = receipt.client
    const { refreshToken = '' } = receipt
    const form = { grant_type: 'refresh_token', client_id, refresh_token: refreshToken }
    const tokens = JSON.parse(await ask('/token', { body: new URLSearchParams(form) })) as {
      access_token?: string
      refresh_token?: string
    }
    receipt.refreshToken = tokens.refresh_token ?? refreshToken
    const headers = {
      authorization: `Bearer ${tokens.access_token}`,
      'content-type': 'application/json',
    }
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    for (let call = 0; call < callsPerToken; call++) await ask('/mcp', { headers, body })
  }
}

it('replaces every process under load without a failed request (HA-10)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-rolling-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const backend = await startBackend()
  const start = (): Promise<Served> => startProcess(join(folder, 'gatehouse.db'), null, backend)
  const running = await Promise.all([start(), start()])
  const balancer = await startBalancer()
  onTestFinished(() => balancer.close())
  for (const { origin } of running) balancer.add(origin)

  const receipts = Array.from({ length: customers }, (): Receipt => ({ rotations: 0 }))
  for (const receipt of receipts) {
    receipt.client = await registerClient(senderTo(balancer.origin))
    await signIn(running[0].origin, receipt.client, receipt)
  }
  const tally: Tally = { answered: 0, failures: [] }
  let isOver = false
  const load = Promise.all(
    receipts.map((receipt) => work(balancer, receipt, { tally, isOver: () => isOver })),
  )
  for (let round = 0; round < rounds; round++) {
    const next = await start()
    balancer.add(next.origin)
    const old = running[round % 2 === 0 ? 0 : 1]
    await balancer.remove(old.origin)
    await old.stop()
    running[round % 2 === 0 ? 0 : 1] = next
  }
  isOver = true
  await load
  expect(tally.failures).toEqual([])
  expect(tally.answered).toBeGreaterThan(100)
}, 60_000)

/** `gatehouse serve` on a port of its own. */
async function startServe(
  folder: string,
  backend: string,
): Promise<{ origin: string; running: Running }> {
  const finder = createServer()
  const { port } = new URL(await listenOnLoopback(finder))
  await new Promise((resolve) => finder.close(resolve))
  const address = ['--public-url', 'http://localhost:8787', '--port', port]
  const args = ['serve', '--to', backend, '--data', folder, '--drain-seconds', '1', ...address]
  const running = startCommand(args)
  onTestFinished(async () => {
    running.child.kill('SIGKILL')
    await running.ended
  })
  return { origin: `http://127.0.0.1:${port}`, running }
}

/** Asks in turn for a document, for a new client and for the MCP server, until it is over. */
async function visit(
  { origin }: Balancer,
  { tally, isOver }: { tally: Tally; isOver: () => boolean },
): Promise<void> {
  const ask = async (path: string, expected: number, body?: string): Promise<void> => {
    const headers = { 'content-type': 'application/json' }
    const init = body === undefined ? {} : { method: 'POST', headers, body }
    const answer = await fetch(origin + path, init)
    await answer.text()
    if (answer.status === expected) tally.answered += 1
    else tally.failures.push(`${path}: ${answer.status}`)
  }
  const client = '{"redirect_uris":["https://client.example/callback"]}'
  for (let count = 0; !isOver(); count += 1) {
    await ask('/.well-known/oauth-authorization-server', 200)
    await ask('/mcp', 401, '{"jsonrpc":"2.0","id":1,"method":"ping"}')
    if (count < registrations) await ask('/register', 201, client)
  }
}

const registrations = 20

it('serves through a balancer that knows no more than /readyz says (HA-10)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-readiness-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const backend = await startBackend()
  const balancer = await startBalancer()
  onTestFinished(() => balancer.close())
  const readiness = followReadiness(balancer)
  onTestFinished(() => readiness.stop())
  const running = [await startServe(folder, backend)]
  await readiness.watch(running[0]?.origin ?? '')

  const tally: Tally = { answered: 0, failures: [] }
  let isOver = false
  const load = Promise.all([1, 2, 3].map(() => visit(balancer, { tally, isOver: () => isOver })))
  for (let round = 0; round < 2; round += 1) {
    const next = await startServe(folder, backend)
    running.push(next)
    await readiness.watch(next.origin)
    const old = running.shift()
    old?.running.child.kill('SIGTERM')
    expect((await old?.running.ended)?.code).toBe(0)
  }
  isOver = true
  await load
  expect(tally.failures).toEqual([])
  expect(tally.answered).toBeGreaterThan(100)
}, 60_000)
