/** `gatehouse doctor` as a person and a pipeline use it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSteps } from '../../src/cli/steps.ts'
import { type Live, startLive } from '../helpers/live.ts'
import { closeNow, listenOnLoopback } from '../helpers/loopback.ts'
import { verifiesThat } from '../verifies.ts'
import { runCommand, startCommand } from './command.ts'

let live: Live
beforeAll(async () => {
  live = await startLive({ clientMetadataDocuments: false })
})
afterAll(() => live.close())

describe('gatehouse doctor', () => {
  it('plays the best known clients, says so, tells how far it is, and ends with 0 when all connect', async () => {
    const { code, stdout, stderr } = await runCommand(['doctor', live.url])
    expect(code).toBe(0)
    expect(stderr).toMatch(/best known clients; all \d+ with --as all/)
    expect(stderr).toContain('[1/8] Looking at the server\n[2/8] As ChatGPT\n')
    expect(stdout.match(/✔ {2}.+ connects\n/g)).toHaveLength(7)
    expect(stdout).not.toContain('\u001b')
  })

  verifiesThat('X5', 'and ends with 1 when one stumbles', async () => {
    const url = `${live.issuer}/nothing`
    const { code, stdout, stderr } = await runCommand(['doctor', url, '--as', 'claude,codex'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/Error: 2 of 2 clients cannot connect\n$/)
    expect(stdout).toMatch(/^1\. FAULT {2}There is nothing at this path {2}mcp-path-not-found\n/)
    for (const label of ['Seen', 'Stumble', 'Why', 'Change', 'Gatehouse']) {
      expect(stdout).toMatch(new RegExp(`^   ${label} +\\S`, 'm'))
    }
    expect(stdout).toMatch(/✘ {2}Claude {2,}cannot connect {3}reaching the server, see 1: “/)
  })

  it('prints JSON of a stable shape, and nothing beside it', async () => {
    const args = ['doctor', live.url, '--as', 'claude', '--json']
    const { code, stdout, stderr } = await runCommand(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report: unknown = JSON.parse(stdout)
    expect(report).toMatchObject({
      url: live.url,
      visited_at: expect.any(Number),
      requests: expect.any(Number),
      host: { ipv4: expect.arrayContaining(['127.0.0.1']) },
      clients: [{ id: 'claude', name: 'Claude', outcome: 'connects' }],
      findings: [
        {
          id: 'private-address',
          severity: 'note',
          clients: [{ id: 'claude', name: 'Claude', words: expect.any(String) }],
          evidence: [{ request: { method: 'POST', url: live.url }, response: { status: 401 } }],
        },
      ],
      left_behind: [],
      documents_shown: [],
    })
  })

  it('writes its report in place of an earlier one, and of nothing else', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gatehouse-report-'))
    const [file, other] = [join(directory, 'report.html'), join(directory, 'notes.txt')]
    await writeFile(other, 'what somebody wrote')
    const visit = (to: string) =>
      runCommand(['doctor', live.url, '--as', 'claude', '--no-register', '--report', to])
    try {
      expect((await visit(file)).code).toBe(0)
      expect((await visit(file)).code).toBe(0)
      expect(await visit(other)).toMatchObject({ code: 2, stdout: '' })
      expect(await readFile(other, 'utf8')).toBe('what somebody wrote')
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('registers nothing with --no-register', async () => {
    const before = live.audit.length
    const args = ['doctor', live.url, '--as', 'vscode', '--no-register']
    const { code, stdout } = await runCommand(args)
    expect(code).toBe(0)
    expect(stdout).toContain('more would take a registration')
    expect(live.audit.slice(before).map(({ event }) => event)).not.toContain('client.registered')
  })

  it('removes what it has registered when somebody presses Ctrl+C', async () => {
    const before = live.audit.length
    const running = startCommand(['doctor', live.url, '--as', 'all'])
    await running.untilAside(/As ChatGPT\n/)
    running.child.kill('SIGINT')
    const { code, stderr } = await running.ended
    expect(code).toBe(1)
    expect(stderr).toContain('Error: Stopped')
    const events = live.audit.slice(before).map(({ event }) => event)
    const count = (name: string): number => events.filter((event) => event === name).length
    expect(count('client.removed')).toBe(count('client.registered'))
    expect(count('client.registered')).toBeLessThan(10)
  })

  it('is over at once when somebody presses Ctrl+C while a slow server is looked at', async () => {
    let asked = (): void => {}
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const server = createServer(() => asked())
    const origin = await listenOnLoopback(server)
    const running = startCommand(['doctor', `${origin}/mcp`, '--timeout', '120'])
    await isAsked
    running.child.kill('SIGINT')
    const { code, stderr } = await running.ended
    await closeNow(server)
    expect(code).toBe(1)
    expect(stderr).toContain('Error: Stopped')
    expect(stderr).not.toContain('Removing what is registered')
  })

  it('says what it found even where the page of it cannot be written', async () => {
    const report = '/no-such-folder/report.html'
    const args = ['doctor', live.url, '--as', 'claude', '--report', report]
    const { code, stdout, stderr } = await runCommand(args)
    expect(code).toBe(1)
    expect(stdout).toContain('✔  Claude')
    expect(stderr).toContain('The report cannot be written')
  })

  it('visits no private address as a public checker', async () => {
    let requests = 0
    const server = createServer((_, response) => {
      requests += 1
      response.end()
    })
    const origin = await listenOnLoopback(server)
    const args = ['doctor', `${origin}/mcp`, '--as', 'vscode', '--public-checker']
    const { code, stdout } = await runCommand(args)
    await closeNow(server)
    expect(requests).toBe(0)
    expect(code).toBe(1)
    expect(stdout).toMatch(/cannot connect {3}reaching the server, see 1/)
  })

  it.each([
    [['localhost:3000/mcp'], 'did you mean http://localhost:3000/mcp?'],
    [['mcp.example.com'], 'did you mean https://mcp.example.com?'],
    [['ftp://mcp.example.com'], 'MCP clients speak https'],
    [['https://me:pw@mcp.example.com'], 'no name and password'],
    [['https://a.example', '--as', 'chatgtp'], 'Did you mean chatgpt?'],
    [['https://a.example', '--as', ''], 'Name clients'],
    [['https://a.example', '--timeout', 'soon'], '--timeout takes 1 to 120 seconds'],
    [['https://a.example', '--wait', '9'], '--wait goes with --login'],
    [['https://a.example', '--client-id', 'a'], '--client-id goes with --login'],
    [['https://a.example', '--no-browser'], '--no-browser goes with --login'],
  ])('refuses %j with 2 and the way out', async (args, words) => {
    const { code, stderr } = await runCommand(['doctor', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})

describe('steps', () => {
  it('replace one line at a terminal and take it away', () => {
    const written: string[] = []
    const stream = { isTTY: true, columns: 20, write: (text: string) => written.push(text) }
    const steps = createSteps(2, false, stream)
    steps.begin('Looking at the server for long')
    steps.end()
    expect(written).toEqual(['\r\u001b[2K[1/2] Looking at th', '\r\u001b[2K'])
  })
})
