/** What the owner is told at the start of a program that does not answer. */
import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { findBackendProblem } from '../../src/cli/probe.ts'
import type { Backend } from '../../src/context.ts'
import type { ProgramEnd } from '../../src/platform/line-process.ts'
import { createPrograms, type Programs } from '../../src/platform/programs.ts'

afterEach(() => void vi.useRealTimers())

const program = {
  command: 'npx',
  args: ['-y', 'a-server'],
  env: {},
  maxProcesses: 1,
  maxProcessesPerUser: 1,
  idleSeconds: 1,
}
const backend: Backend = {
  id: 'mcp',
  name: 'mcp',
  path: '/mcp',
  resource: 'http://localhost/mcp',
  identity: 'none',
  headers: {},
  program,
}

/** Programs that write these lines to standard error and never answer; they end when `end` does. */
function createSilent(notes: readonly string[], end: Promise<ProgramEnd>): Programs {
  return {
    start: async ({ onNote }) => {
      for (const line of notes) onNote(line)
      return {
        pid: 1,
        lines: Readable.from([]),
        ended: end,
        write: () => true,
        stop: async () => undefined,
        finish: async () => undefined,
        kill: () => undefined,
      }
    },
    count: () => 0,
    close: async () => undefined,
  }
}

it('says what a program wrote that did not answer in time, such as npx that cannot install it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const notes = ['npm error code SELF_SIGNED_CERT_IN_CHAIN', '']
  const found = findBackendProblem(backend, createSilent(notes, new Promise(() => undefined)))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await found).toMatch(
    /^npx -y a-server has not answered for 60 s: .*, and said:\n {4}npm error code SELF_SIGNED_CERT_IN_CHAIN$/,
  )
})

it('says nothing of a program that ends because Gatehouse is stopped', async () => {
  const end = { signal: 'SIGTERM', isStopped: true }
  expect(await findBackendProblem(backend, createSilent([], Promise.resolve(end)))).toBeUndefined()
})

describe('why a program does not run', () => {
  const programs = createPrograms({ PATH: process.env['PATH'] ?? '' })
  afterAll(() => programs.close())
  const find = (command: string, ...args: string[]) =>
    findBackendProblem({ ...backend, program: { ...program, command, args } }, programs)

  it('is in the line of its error, not in the stack that Node writes after it', async () => {
    const problem = await find(process.execPath, '/no/such/server.js')
    expect(problem).toContain("Error: Cannot find module '/no/such/server.js'")
    expect(problem).not.toMatch(/^\s+at /m)
  })

  it('is what it says of its use, also on standard output', async () => {
    const problem = await find(process.execPath, '-e', 'console.log("Usage: server FOLDER")')
    expect(problem).toMatch(/ended with exit code 0 .*, and said:\n {4}Usage: server FOLDER$/)
  })

  it.each([
    ['npx -y some-server', 'its arguments are elements of their own'],
    ['no-such-server', 'there is no such command on this machine, or its cwd is missing'],
    [tmpdir(), 'it may not be run'],
  ])('is in words, not in a code of the system: %s', async (command, words) => {
    expect(await find(command)).toContain(words)
  })
})
