/** Runs the real command as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The published entry. */
export const bin = fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url))

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that goes on. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  /** Standard output up to and including the first match of the pattern. */
  until(pattern: RegExp): Promise<string>
  /** The same for standard error. */
  untilAside(pattern: RegExp): Promise<string>
}

/** Options of a run. */
export interface RunOptions {
  input?: string
  cwd?: string
  env?: Record<string, string>
}

/** Starts a command with a clean environment. */
export function startCommand(args: string[], options: RunOptions = {}): Running {
  return startProgram(bin, args, options)
}

/** Starts any program of ours in the same way. */
export function startProgram(path: string, args: string[], options: RunOptions = {}): Running {
  const child = spawn(process.execPath, [path, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1', ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined).end(options.input ?? '')
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr }))
  })
  /** What a stream has said once it matches; reads through `said`, which grows. */
  const until = (stream: NodeJS.ReadableStream, said: () => string, pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(said())) return
        stream.off('data', look)
        resolve(said())
      }
      stream.on('data', look)
      void ended.then(() => reject(new Error(`ended before ${pattern}:\n${stdout}\n${stderr}`)))
      look()
    })
  return {
    child,
    ended,
    until: (pattern) => until(child.stdout, () => stdout, pattern),
    untilAside: (pattern) => until(child.stderr, () => stderr, pattern),
  }
}

/** Runs a command to its end. */
export function runCommand(args: string[], options: RunOptions = {}): Promise<Ended> {
  return startCommand(args, options).ended
}

/** A temporary folder and the function that removes it. */
export async function createFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-cli-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) }
}
