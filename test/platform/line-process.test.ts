/** Programs that cannot be started, or do not want to end. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { startLineProcess } from '../../src/platform/line-process.ts'

const modulePath = new URL('../../src/platform/line-process.ts', import.meta.url).href

/** Whether a process of this id is there. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it('is told why a program did not start, also where no file descriptor is left (DS-02)', async () => {
  const script = `
    const { openSync } = await import('node:fs')
    const { startLineProcess } = await import(${JSON.stringify(modulePath)})
    try { for (;;) openSync('/dev/null') } catch {}
    const started = startLineProcess({ command: process.execPath, args: [], env: {}, onNote() {} })
    const lines = []
    for await (const line of started.lines) lines.push(line)
    const isTaken = started.write('{}')
    await started.stop()
    console.log(JSON.stringify({ ...(await started.ended), lines, isTaken }))`
  const command = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"'
  const run = promisify(execFile)('sh', ['-c', command, process.execPath, script])
  const told: unknown = JSON.parse((await run).stdout)
  expect(told).toEqual({ failure: 'EMFILE', lines: [], isTaken: false })
})

it('is told of a failure that the system throws, such as variables that are too long', async () => {
  const env = { LONG: 'x'.repeat(3_000_000) }
  const started = startLineProcess({ command: process.execPath, args: [], env, onNote: () => {} })
  expect(await started.ended).toEqual({ failure: 'E2BIG' })
  expect(started.write('{}')).toBe(false)
})

it('ends what a program started, also when it does not want to and holds no output open', async () => {
  const stubborn = `process.on('SIGTERM', () => {}); process.send(0); setInterval(() => {}, 1000)`
  const script = `
    const { spawn } = require('node:child_process')
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc']
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio })
    child.once('message', () => { child.disconnect(); console.log(child.pid) })
    process.stdin.resume().once('end', () => process.exit())`
  const args = ['-e', script]
  const started = startLineProcess({ command: process.execPath, args, env: {}, onNote: () => {} })
  const { value: pid } = await started.lines[Symbol.asyncIterator]().next()
  expect(isRunning(Number(pid))).toBe(true)
  await started.stop()
  // Whoever adopts it may take a while to notice.
  await expect.poll(() => isRunning(Number(pid)), { timeout: 4000 }).toBe(false)
})
