/** `gatehouse doctor --self` as a process: what it says, and what it does not let itself be told. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../cli/command.ts'
import { findFreeOrigin, here, installForEachTest, look, serve } from './installation.ts'

installForEachTest()

describe('gatehouse doctor --self', () => {
  it('finds nothing wrong with a server that runs, and says what it looked at', async () => {
    const { issuer } = await serve(here.folder)
    const args = ['--to', here.backend, '--public-url', issuer]
    expect(await look(here.folder, args)).toMatchObject({ code: 0, ids: [] })
    const { stdout, code } = await runCommand(['doctor', '--self', ...args], { cwd: here.folder })
    expect(code).toBe(0)
    expect(stdout).toContain('Public URL   answers 200')
    expect(stdout).toMatch(/Signing key +\S+, ES256, the next one is due /)
    expect(stdout).toContain(`${here.backend} answers`)
  })

  it('changes nothing where there is nothing yet', async () => {
    const nobody = await findFreeOrigin()
    const args = ['--to', here.backend, '--public-url', nobody]
    const { ids, code } = await look(here.folder, args)
    expect([code, ids]).toEqual([1, ['self-unreachable', 'store-missing']])
    expect((await runCommand(['store', 'status'], { cwd: here.folder })).stdout).toContain('none')
  })

  it('names a problem of the configuration, with exit code 2', async () => {
    await writeFile(
      join(here.folder, 'gatehouse.yaml'),
      `to: ${here.backend}\nlifetime: forever\nprot: 1\n`,
    )
    const { code, ids, text } = await look(here.folder, ['--config', 'gatehouse.yaml'])
    expect(code).toBe(2)
    expect(new Set(ids)).toEqual(new Set(['configuration-problem']))
    expect(text).toContain('prot')
  })

  it('names a configuration file that is not there, and no setting', async () => {
    const args = ['doctor', '--self', '--config', 'nope.yaml']
    const { code, stdout } = await runCommand(args, { cwd: here.folder })
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

  it.each([
    ['--as', 'chatgpt'],
    ['--login'],
    ['--no-register'],
    ['--timeout', '30'],
    ['--wait', '9'],
    ['--no-browser'],
    ['--client-id', 'a'],
    ['--client-secret-stdin'],
    ['--public-checker'],
  ])('refuses %s, which goes with a visit', async (...option) => {
    const { code, stderr } = await runCommand(['doctor', '--self', ...option])
    expect(code).toBe(2)
    expect(stderr).toContain(`${option[0]} goes with the URL of a server`)
  })

  it.each(['--config', '--data', '--store', '--to', '--public-url', '--port'])(
    'alone takes %s: a visit refuses it',
    async (option) => {
      const { code, stderr } = await runCommand(['doctor', 'http://127.0.0.1:9/mcp', option, '1'])
      expect(code).toBe(2)
      expect(stderr).toContain(`${option} goes with --self`)
    },
  )
})
