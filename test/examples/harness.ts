/**
 * An example as its owner runs it: `gatehouse serve` as a process of its own, with the files of the example as
 * they stand. What is different on this machine, such as the public URL and whatever is a placeholder, comes
 * from the environment of the process, which wins over the file.
 *
 * The commands are those of the example's README: each ` ```sh name ` block is run by `sh`, with `HOST` set, so
 * that guide and test cannot say different things.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createFolder, type Ended, type Running, runCommand, startCommand } from '../cli/command.ts'
import { type Browser, createBrowser, type Page } from '../helpers/browser.ts'
import { root } from '../helpers/sources.ts'

/** Environment of a process. */
export type Env = Record<string, string>

/** What a command of a README answered. */
export interface Answer {
  readonly status: number
  readonly text: string
  /** The answer as a JSON object. */
  json(): Record<string, unknown>
}

/** How an example is run. */
export interface ExampleOptions {
  /** Folder below `examples/`. */
  readonly name: string
  /** What is different on this machine, for the origin that Gatehouse has. */
  readonly toEnv: (issuer: string) => Promise<Env> | Env
  /** Further arguments of `gatehouse serve`. */
  readonly args?: readonly string[]
  /** Starts another program than `gatehouse serve`. */
  readonly start?: (env: Env, folder: string) => Running
  /** What is printed once it is up. Default: the last lines of `gatehouse serve`. */
  readonly untilUp?: RegExp
}

/** An example that runs. */
export interface Example {
  readonly issuer: string
  /** Everything printed to standard output at the start. */
  readonly printed: string
  /** Log and warnings, up to the first match. */
  untilLogged(pattern: RegExp): Promise<string>
  /** Runs a command of the README; variables are in its environment besides `HOST`. */
  run(command: string, variables?: Env): Promise<Answer>
  /** Runs another `gatehouse` command with the same files and the same data. */
  manage(args: readonly string[], input?: string): Promise<Ended>
  send(path: string, init?: RequestInit): Promise<Response>
  browser(): Browser
  /** Ends the process without warning and starts it again on the same data. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** Starts an example on a free port of loopback. */
export async function startExample(options: ExampleOptions): Promise<Example> {
  const { name, toEnv, args = [], untilUp = /claude mcp add.*\n/ } = options
  const { folder, remove } = await createFolder()
  await writeFile(join(folder, '.curlrc'), curlDefaults)
  const port = await reservePort()
  const issuer = `http://localhost:${port}`
  const env = { ...(await toEnv(issuer)), GATEHOUSE_PORT: String(port) }
  const start = options.start ?? ((given) => serve(name, args, { cwd: folder, env: given }))
  let running = start(env, folder)
  const printed = await running.until(untilUp)
  const commands = readCommands(join(toFolder(name), 'README.md'))
  const stop = async (): Promise<void> => {
    running.child.kill('SIGKILL')
    await running.ended
  }
  return {
    issuer,
    printed,
    untilLogged: (pattern) => running.untilAside(pattern),
    run: (command, variables = {}) =>
      runShell(findCommand(commands, command), {
        PATH: process.env.PATH ?? '',
        CURL_HOME: folder,
        HOST: issuer,
        ...variables,
      }),
    manage: (args, input = '') =>
      runCommand([...args, ...listFiles(name)], { cwd: folder, env, input }),
    send: (path, init) => fetch(issuer + path, init),
    browser: () => createBrowser(issuer, (request) => fetch(request)),
    restart: async () => {
      await stop()
      running = start(env, folder)
      await running.until(untilUp)
    },
    close: async () => {
      await stop()
      await remove()
    },
  }
}

/** Where an example is. */
export function toFolder(name: string): string {
  return join(root, 'examples', name)
}

function serve(name: string, args: readonly string[], where: { cwd: string; env: Env }): Running {
  return startCommand(['serve', ...listFiles(name), ...args], where)
}

/** The files of an example, as arguments of any command. */
export function listFiles(name: string): string[] {
  const folder = toFolder(name)
  return ['--config', join(folder, 'gatehouse.yaml'), '--env-file', join(folder, '.env.example')]
}

/** A port that was free a moment ago: the public URL has to be known before the start. */
async function reservePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** The status goes to standard error, so that commands stay as people type them. */
const curlDefaults = 'silent\nmax-time = 20\nwrite-out = "%{stderr}%{http_code}\\n"\n'

/** The named commands of a README. */
function readCommands(path: string): ReadonlyMap<string, string> {
  const blocks = readFileSync(path, 'utf8').matchAll(/^```sh ([\w-]+)\n([^]*?)^```$/gm)
  return new Map([...blocks].map(([, name = '', text = '']) => [name, text]))
}

function findCommand(commands: ReadonlyMap<string, string>, name: string): string {
  const text = commands.get(name)
  if (text === undefined) throw new Error(`The README has no command ${name}`)
  return text
}

function runShell(text: string, env: Env): Promise<Answer> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-euc', text], { env, timeout: 30_000 }, (error, stdout, stderr) => {
      if (error) return reject(new Error(`${text}\n${stdout}\n${stderr}`, { cause: error }))
      resolve({
        status: Number(stderr.trim().split('\n').at(-1)),
        text: stdout,
        json: () => JSON.parse(stdout) as Record<string, unknown>,
      })
    })
  })
}

/** Presses the way through the pages until the browser leaves, or is refused. */
export async function pressOn(browser: Browser, first: Page): Promise<Page> {
  let page = first
  for (let step = 0; step < 4 && page.status === 200; step += 1) {
    page = page.url.pathname.endsWith('/sign-in')
      ? await browser.press(page, '', '', person)
      : await browser.press(page, 'decision', 'allow')
  }
  return page
}

/** Who has an account where people sign in with a password. */
export const person = { email: 'owner@example.com', password: 'correct horse battery' }
