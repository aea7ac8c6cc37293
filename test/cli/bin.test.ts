import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { bin, createFolder, runCommand } from './command.ts'

/** A Node below the floor, if one is on PATH. */
function findOldNode(): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && listNames(folder).includes('node'))
    .map((folder) => join(folder, 'node'))
    .find((node) => /^v(\d|1\d|20|21)\./.test(spawnSync(node, ['--version']).stdout.toString()))
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Runs the bin on an old Node, or on this one pretending to be old where there is none. */
function runOnOldNode(version: string) {
  const old = findOldNode()
  const pretend = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`
  const args = old === undefined ? ['--import', pretend, bin] : [bin]
  return spawnSync(old ?? process.execPath, [...args, '--version'], { encoding: 'utf8' })
}

describe('the bin', () => {
  it('names the floor and the way out on an old Node, before importing anything', () => {
    const { status, stderr, stdout } = runOnOldNode('20.20.2')
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(
      /^Gatehouse needs Node\.js 22\.19\.0 or newer; this is \d+\.\d+\.\d+\.\n/,
    )
    expect(stderr).toContain('https://nodejs.org')
    expect(stderr.trim().split('\n')).toHaveLength(2)
  })

  it('has the floor of package.json', () => {
    const manifest = JSON.parse(readFileSync(join(bin, '../../package.json'), 'utf8'))
    const floor = /floor = \[([\d, ]+)\]/.exec(readFileSync(bin, 'utf8'))?.[1]
    expect(manifest.engines.node).toBe(`>=${floor?.replaceAll(', ', '.')}`)
  })

  it('imports nothing statically', () => {
    expect(readFileSync(bin, 'utf8')).not.toMatch(/^\s*import\s+[^(]/m)
  })

  describe('in a package of its own', () => {
    let folder: string
    beforeEach(async () => {
      const created = await createFolder()
      folder = await realpath(created.folder)
      await mkdir(join(folder, 'package/bin'), { recursive: true })
      await copyFile(bin, join(folder, 'package/bin/gatehouse.js'))
      await copyFile(join(bin, '../../package.json'), join(folder, 'package/package.json'))
      await symlink(join(bin, '../../src'), join(folder, 'package/src'))
      return created.remove
    })

    /** Runs it with a temporary folder and a home of its own. */
    function run() {
      const own = {
        NODE_COMPILE_CACHE: undefined,
        TMPDIR: join(folder, 'tmp'),
        HOME: join(folder, 'home'),
      }
      const args = [join(folder, 'package/bin/gatehouse.js'), '--version']
      return spawnSync(process.execPath, args, {
        encoding: 'utf8',
        env: { ...process.env, ...own },
      })
    }

    it('keeps compiled code beside its own, and nowhere else', async () => {
      expect(run().status).toBe(0)
      const kept = await readdir(join(folder, 'package/node_modules/.cache/compiled'))
      expect(kept).toHaveLength(1)
      expect((await readdir(folder)).toSorted()).toEqual(['package'])
    })

    it('starts where nothing can be kept, and with what is damaged', async () => {
      const cache = join(folder, 'package/node_modules')
      await writeFile(cache, 'no folder')
      expect(run()).toMatchObject({ status: 0, stderr: '' })
      await rm(cache)
      run()
      const files = await readdir(cache, { recursive: true, withFileTypes: true })
      const kept = files.filter((file) => file.isFile())
      expect(kept.length).toBeGreaterThan(1)
      for (const { parentPath, name } of kept) await writeFile(join(parentPath, name), 'damaged')
      expect(run()).toMatchObject({ status: 0, stderr: '' })
    })
  })

  it('tells its version', async () => {
    const manifest = JSON.parse(readFileSync(join(bin, '../../package.json'), 'utf8'))
    expect(await runCommand(['--version'])).toMatchObject({
      code: 0,
      stdout: `${manifest.version}\n`,
    })
  })

  it.each([
    [['serve', '--no-sign-inn'], '--no-sign-in'],
    [['srve'], 'serve'],
    [['clients', 'ad'], 'add'],
    [['clients', 'add', '--redirect-url', 'https://a.example/cb'], '--redirect-uri'],
  ])('refuses %j and says what was meant, with exit code 2', async (args, meant) => {
    const { code, stderr } = await runCommand(args)
    expect(code).toBe(2)
    expect(stderr).toContain(`Did you mean ${meant}?`)
  })
})
