/** `gatehouse serve -- PROGRAM`: an MCP server that is started here (X10). */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { byHand } from '../gate/stdio-fixture.ts'
import { createFolder, type Running, runCommand, startCommand } from './command.ts'

let folder: string
let remove: () => Promise<void>
const started: Running[] = []
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
  await remove()
})

function start(args: string[], env: Record<string, string> = {}): Running {
  const running = startCommand(args, { cwd: folder, env })
  started.push(running)
  return running
}

const open = ['serve', '--port', '0', '--store', 'memory:', '--no-sign-in']
const program = [process.execPath, byHand]

/** A session, begun with what `--no-sign-in` gives without a person. */
async function findIssuer(running: Running): Promise<string> {
  return /Issuer +(\S+)/.exec(await running.until(/claude mcp add.*\n/))?.[1] ?? ''
}

describe('gatehouse serve -- PROGRAM', () => {
  it('says what is started, and starts it once to see whether it answers', async () => {
    const running = start([...open, '--', ...program])
    const printed = await running.until(/claude mcp add.*\n/)
    expect(printed).toMatch(/MCP URL +http:\/\/localhost:\d+\/mcp +→ +\S*node\S* \S+by-hand\.ts/)
    running.child.kill('SIGTERM')
    const { code, stderr } = await running.ended
    expect(code).toBe(0)
    expect(stderr).not.toContain('WARNING: /')
  })

  it('takes options of the program as they are, with and without --', async () => {
    for (const args of [
      ['--', process.execPath, '--no-warnings', byHand, '--port', '1'],
      [process.execPath, '--no-warnings', byHand, '--port', '1'],
    ]) {
      const running = start([...open, ...args])
      const printed = await running.until(/claude mcp add.*\n/)
      expect(printed).toContain(`--no-warnings ${byHand} --port 1`)
      expect(printed).not.toContain('localhost:1/')
    }
  })

  it('answers to clients, and ends every program with itself', async () => {
    const env = { OAUTH_ENABLED: 'false' }
    const running = start(['serve', '--port', '0', '--', ...program], env)
    const issuer = await findIssuer(running)
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const say = (body: object, session = {}) =>
      fetch(`${issuer.replace('localhost', '127.0.0.1')}/mcp`, {
        method: 'POST',
        headers: { ...headers, host: new URL(issuer).host, ...session },
        body: JSON.stringify(body),
      })
    const began = await say({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} })
    const session = { 'mcp-session-id': began.headers.get('mcp-session-id') ?? '' }
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'pid' } }
    const { result } = (await (await say(call, session)).json()) as {
      result: { content: { text: string }[] }
    }
    const pid = Number(result.content[0]?.text)
    expect(process.kill(pid, 0)).toBe(true)
    running.child.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
    expect(() => process.kill(pid, 0)).toThrow()
  })

  it.each([
    ['a command that is not there', ['--', 'no-such-server'], 'there is no such command'],
    [
      'one that ends',
      ['--', process.execPath, '-e', 'console.error("no key");process.exit(4)'],
      'exit code 4',
    ],
  ])('says at the start what is wrong: %s', async (_, args, problem) => {
    const running = start([...open, ...args])
    const said = await running.untilAside(/WARNING: (?!sign-in)[^]*?\n\n/)
    expect(said).toContain(problem)
    if (problem === 'exit code 4') expect(said).toContain('no key')
  })

  it('passes on the variables that are named, and no others', async () => {
    const script =
      'console.error(`has ${process.env.GIVEN} and ${process.env.KEPT}`);process.exit(1)'
    const args = ['--pass-env', 'GIVEN', '--', process.execPath, '-e', script]
    const running = start([...open, ...args], { GIVEN: 'given', KEPT: 'kept' })
    expect(await running.untilAside(/has .*/)).toContain('has given and undefined')
  })

  it.each([
    [['serve', 'http://127.0.0.1:3000/mcp'], 'put it behind --to'],
    [['serve', '--pass-env', 'NOPE', '--', 'npx', 'server'], 'NOPE'],
    [['serve', '--pass-env', 'PATH', '--to', 'http://127.0.0.1:3000/mcp'], 'env is about'],
    [['serve', '--to', 'http://127.0.0.1:3000/mcp', '--', 'npx', 'server'], 'contradicts'],
    [['serve'], '-- npx'],
  ])('refuses what cannot be: %s', async (args, problem) => {
    const { code, stderr } = await runCommand(args, { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toContain(problem)
  })
})

describe('what else looks at a program', () => {
  it('is doctor --self, which starts it as serve does, and config check, which does not', async () => {
    await writeFile(join(folder, 'gatehouse.yaml'), 'command: [no-such-server, a b]\n')
    const options = { cwd: folder }
    const check = await runCommand(['config', 'check', '--config', 'gatehouse.yaml'], options)
    expect(check.code).toBe(0)
    const self = await runCommand(['doctor', '--self', '--config', 'gatehouse.yaml'], options)
    expect(self.code).toBe(1)
    expect(self.stdout + self.stderr).toContain("no-such-server 'a b' cannot be started")
  })
})
