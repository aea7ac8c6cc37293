/** `gatehouse doctor --login` as a process: the person has the address, the pipeline an exit code. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createFolder, runCommand, startCommand } from '../cli/command.ts'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { startLoginSite } from './login-site.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function startServer(): Promise<Live> {
  const live = await startLive()
  cleanups.push(live.close)
  return live
}

const address = /^ {2}(https?:\/\/\S+authorize\S+)$/m

describe('gatehouse doctor --login', () => {
  it('prints the address, waits for the person, and writes the report', async () => {
    const live = await startServer()
    const { folder, remove } = await createFolder()
    cleanups.push(remove)
    const file = join(folder, 'report.html')
    const args = ['doctor', live.url, '--as', 'claude-code', '--login', '--no-browser']
    const running = startCommand([...args, '--report', file])
    const [, url = ''] = address.exec(await running.untilAside(address)) ?? []
    await fetch((await approve(live.browser(), url)).url)
    const { code, stdout, stderr } = await running.ended
    expect(stderr).toContain('Waiting for you to sign in and allow')
    expect(stdout).toMatch(/Login as Claude Code\n {2}Registration +201\n {2}Token +200\n/)
    expect(stdout).toMatch(/Use after the revocation +401/)
    const identity = 'Claude Code itself comes with its metadata document, https://'
    expect(stdout).toContain(identity)
    expect(code).toBe(0)
    const page = await readFile(file, 'utf8')
    expect(page).toContain('Login as Claude Code')
    expect(page).toContain(identity)
    expect(page).toContain('[refresh token 2]')
    expect(page + stdout + stderr).not.toMatch(/gh[cr]_[\w-]{20}|eyJ[\w-]{8}/)
  })

  it('that the person denies did not come to its end: 1', async () => {
    const site = await startLoginSite({ callbackError: 'access_denied' })
    cleanups.push(site.close)
    const running = startCommand(['doctor', site.url, '--login', '--no-browser', '--as', 'codex'])
    const [, url = ''] = address.exec(await running.untilAside(address)) ?? []
    await fetch(url)
    const { code, stdout, stderr } = await running.ended
    expect(stdout).toContain('login-denied')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('The login ended with access_denied'),
    ])
  })

  it('says with which option there is more time', async () => {
    const site = await startLoginSite()
    cleanups.push(site.close)
    const args = ['doctor', site.url, '--login', '--no-browser', '--as', 'codex', '--wait', '1']
    const { code, stdout } = await runCommand(args)
    expect([code, stdout]).toEqual([1, expect.stringContaining('--wait SECONDS')])
  })

  it('ends at Ctrl-C with the registration removed, and as JSON says that it did', async () => {
    const site = await startLoginSite()
    cleanups.push(site.close)
    const args = ['doctor', site.url, '--login', '--no-browser', '--json', '--as', 'codex']
    const running = startCommand(args)
    await running.untilAside(address)
    running.child.kill('SIGINT')
    const { code, stdout, stderr } = await running.ended
    expect(code).toBe(1)
    expect(stderr).toContain('The login was interrupted')
    expect(JSON.parse(stdout)).toMatchObject({
      login: { client: 'codex', identification: 'registration', ended: 'interrupted' },
    })
    expect(site.clients.size).toBe(0)
  })

  it('refuses what makes no sense before it sends anything', async () => {
    const refused = async (...args: string[]) => {
      const all = ['doctor', 'http://127.0.0.1:9/mcp', '--login', ...args]
      const { code, stderr } = await runCommand(all)
      return [code, stderr]
    }
    const [nobody, forever, alone, without] = await Promise.all([
      refused('--as', 'chatgpt'),
      refused('--wait', 'long'),
      refused('--client-secret-stdin'),
      refused('--no-register'),
    ])
    expect(nobody).toEqual([2, expect.stringContaining('cannot log in as ChatGPT')])
    expect(forever).toEqual([2, expect.stringContaining('--wait takes 1 to 86400 seconds')])
    expect(without).toEqual([2, expect.stringContaining('leave --no-register out')])
    expect(alone).toEqual([2, expect.stringContaining('goes with --client-id')])
  })
})
