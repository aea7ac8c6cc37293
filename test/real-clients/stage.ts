/** Where one real client plays: a Gatehouse with a clock of ours, a person with a browser, a machine without a network. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import type { BackendOptions } from '../../src/backend-options.ts'
import { createNotebook } from '../../src/cli/demo-server/notes.ts'
import { startNotesServer } from '../../src/cli/demo-server/server.ts'
import type { Policy } from '../../src/oauth/policy.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen } from '../../src/platform/node-server.ts'
import type { FetchDocument } from '../../src/platform/pinned-fetch.ts'
import { findPinnedDocument } from '../../src/profiles/pinned-documents.ts'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { root } from '../helpers/sources.ts'
import { type Program, startProgram } from './program.ts'
import { type Call, startRecorder } from './recorder.ts'

/** What a client's driver works with. */
export interface Stage {
  readonly live: Live
  /** The MCP URL. */
  readonly url: string
  /** The client's home and working folder; gone afterwards. */
  readonly folder: string
  /** Starts a program of the client in that folder, without a way to the internet. */
  start(command: string, args: readonly string[], env?: Record<string, string>): Program
  /** The same, to its end; what it wrote. Fails with that when it does not end well. */
  run(command: string, args: readonly string[], env?: Record<string, string>): Promise<string>
  /** Why the person could not sign in. */
  readonly troubles: readonly string[]
  /** What reached the MCP server behind Gatehouse, in order. */
  readonly calls: readonly Call[]
  /** Titles of the notes that the backend's tool has written. */
  findNotes(): Promise<string[]>
  /** Lets the access tokens end that were issued until now. */
  expireTokens(): void
  close(): Promise<void>
}

/** Vendors' documents without the vendors: the copies that come with Gatehouse. */
const fetchDocument: FetchDocument = async (url) => {
  const copy = findPinnedDocument(url)
  return copy ? { text: copy.text, freshSeconds: 3600 } : { problem: 'name' }
}

/** An official server over standard input and output, by its SDK: the first has sessions, the second needs none. */
export type StageProgram = 'sdk-1' | 'sdk-2'

/** How it is set up; with `program`, Gatehouse starts the MCP server, and nobody sees its calls. */
export interface StageOptions extends Partial<GatehouseOptions> {
  readonly policy?: Policy
  readonly accessTokenSeconds?: number
  readonly program?: StageProgram
}

/** Sets it up. */
export async function createStage(options: StageOptions = {}): Promise<Stage> {
  let ahead = 0
  const clock = { now: () => systemClock.now() + ahead }
  const { accessTokenSeconds = 3600, program, ...rest } = options
  const lifetimes = { accessTokenSeconds }
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-client-'))
  const file = join(folder, 'notes.json')
  const notebook = createNotebook(file)
  const notes = await startNotesServer(notebook, 'notes-key')
  const backend = await startRecorder(notes.url)
  const live = await startLive({
    fetchDocument,
    ...rest,
    clock,
    lifetimes,
    backendUrl: backend.url,
    ...(program && { backends: [toBackend(program, file)] }),
  })
  const person = await createPerson(live)
  const surroundings = await createSurroundings(folder, person.url)
  const programs: Program[] = []
  const start: Stage['start'] = (command, args, env = {}) => {
    const program = startProgram(command, args, { cwd: folder, env: { ...surroundings, ...env } })
    programs.push(program)
    return program
  }
  return {
    live,
    url: live.url,
    folder,
    start,
    run: (command, args, env) => start(command, args, env).finish(),
    calls: backend.calls,
    troubles: person.troubles,
    findNotes: async () => (await notebook.list()).map(({ title }) => title),
    expireTokens: () => {
      ahead += accessTokenSeconds + 120
    },
    close: async () => {
      await Promise.all(programs.map((program) => program.stop()))
      await person.close()
      await live.close()
      await backend.close()
      await notes.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function toBackend(program: StageProgram, file: string): BackendOptions {
  const path = join(root, 'test', 'helpers', 'stdio', `${program}.ts`)
  return { name: 'Notes', command: process.execPath, args: [path], env: { NOTES: file } }
}

/** The person who is asked: allows what the page says and lets the browser go on to the client. */
async function createPerson(
  live: Live,
): Promise<{ url: string; troubles: readonly string[]; close(): Promise<void> }> {
  const browser = live.browser()
  const visit = async (url: string): Promise<void> => {
    const { url: callback, status, text } = await approve(browser, url)
    if (status !== 0) throw new Error(`The person ends at ${callback}, ${status}:\n${text}`)
    // Some open the browser before they listen; people are slower than we are.
    const answer = await vi.waitFor(() => fetch(callback), { timeout: 30_000, interval: 50 })
    await answer.text()
  }
  const troubles: string[] = []
  const server = await listen(
    async (request) => {
      visit(await request.text()).catch((error: unknown) => troubles.push(String(error)))
      return new Response(null, { status: 202 })
    },
    { host: '127.0.0.1', port: 0 },
  )
  return { url: server.url, troubles, close: () => server.close(0) }
}

/** Environment of a client: homes in the folder, a browser that is our person, proxies that lead nowhere. */
async function createSurroundings(
  folder: string,
  personUrl: string,
): Promise<Record<string, string>> {
  const bin = join(folder, 'bin')
  const opener = join(bin, 'xdg-open')
  const temporary = join(folder, 'tmp')
  await Promise.all([bin, temporary].map((path) => mkdir(path)))
  await writeFile(opener, renderOpener(personUrl))
  await chmod(opener, 0o755)
  const nowhere = 'http://127.0.0.1:9'
  return {
    PATH: [bin, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, '.config'),
    XDG_DATA_HOME: join(folder, '.local', 'share'),
    XDG_STATE_HOME: join(folder, '.local', 'state'),
    XDG_CACHE_HOME: join(folder, '.cache'),
    XDG_RUNTIME_DIR: temporary,
    TMPDIR: temporary,
    // Nobody's key ring: what they keep, they keep in files here.
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(temporary, 'no-bus')}`,
    BROWSER: opener,
    TERM: 'xterm',
    LANG: 'C.UTF-8',
    NODE_NO_WARNINGS: '1',
    DO_NOT_TRACK: '1',
    ...proxies(nowhere),
  }
}

function proxies(url: string): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'all_proxy']
  const local = 'localhost,127.0.0.1,::1'
  const entries = Object.entries({
    ...Object.fromEntries(names.map((name) => [name, url])),
    no_proxy: local,
  })
  return Object.fromEntries([
    ...entries,
    ...entries.map(([name, value]) => [name.toUpperCase(), value] as const),
  ])
}

function renderOpener(personUrl: string): string {
  const body = "process.argv.find((part) => /^https?:/.test(part)) ?? ''"
  return `#!${process.execPath}\nawait fetch('${personUrl}', { method: 'POST', body: ${body} })\n`
}
