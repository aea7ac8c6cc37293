/** What commands change stands in the audit log of the server, whether it ran at the time or not (OP-04). */
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { createFolder, runCommand, startCommand } from './command.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})

const data = () => ['--data', join(folder, 'data')]
const input = 'correct horse battery\n'

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand([...args, ...data()], { input })
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

interface Line {
  readonly audit?: boolean
  readonly event?: string
  readonly actor?: string
  readonly at?: string
  readonly details?: Record<string, unknown>
}

const toLines = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter(({ audit, actor }) => audit === true && actor === 'cli')

it('every change is a line, from before the start and from beside the server', async () => {
  await run('users', 'add', 'ada@example.com', '--password-stdin')
  await run('users', 'invite', 'bob@example.com')
  await run('clients', 'add', '--id', 'chatgpt', '--redirect-uri', 'https://chatgpt.com/callback')

  const serve = ['serve', '--to', 'http://127.0.0.1:9/mcp', '--port', '0', '--log', 'json']
  const server = startCommand([...serve, ...data()])
  onTestFinished(async () => {
    server.child.kill('SIGKILL')
    await server.ended
  })
  const saw = (event: string): Promise<string> => {
    const pattern = new RegExp(`"event":"${event.replace('.', '\\.')}"`)
    return Promise.race([server.until(pattern), server.untilAside(pattern)])
  }
  await Promise.all(['user.added', 'user.invited', 'client.registered'].map(saw))

  await run('users', 'passwd', 'ada@example.com', '--password-stdin', '--end-grants')
  await saw('user.password_changed')
  await run('users', 'uninvite', 'bob@example.com')
  await run('clients', 'remove', 'chatgpt')
  await run('keys', 'rotate')
  await run('admin-token')
  await run('users', 'remove', 'ada@example.com')
  await Promise.all(['user.uninvited', 'client.removed', 'key.made', 'admin-token.made'].map(saw))
  const lines = toLines(await saw('user.removed'))
  const removed = lines.find(({ event }) => event === 'user.removed')
  expect(removed?.details).toEqual({ login: 'ada@example.com' })
  expect(new Set(lines.map(({ event }) => event)).size).toBe(lines.length)
  for (const { at } of lines) expect(at).toMatch(/^\d{4}-\d\d-\d\dT/)
}, 120_000)
