/**
 * `--tunnel`: an installed tunnel program gives the server a public https address for as long as it runs.
 *
 * The address becomes the issuer, so the program is started once our port is open and before anything
 * is built. It is never installed, configured or signed in by us.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Settings } from '../operate/config/load.ts'
import { exitUsage, findSystemCode, toFailure } from './failure.ts'
import { printAside } from './output.ts'
import { type TunnelName, type TunnelProgram, tunnelPrograms } from './tunnel-programs.ts'

/** A tunnel that leads here. */
export interface Tunnel {
  readonly program: TunnelProgram
  /** The public origin. */
  readonly url: string
  /** Resolves with what it said last, when the program ends before it was told to. */
  readonly broken: Promise<string>
  close(): Promise<void>
}

/** How long a program may take to say its address, in seconds; longer when it waits for a person. */
const patienceSeconds = 45
const patienceForPeopleSeconds = 300

/** Lines of output kept for the error message. */
const linesKept = 12

/**
 * Refuses what a tunnel contradicts, before anything is started.
 *
 * @throws Failure with exit code 2 that names both sides
 */
export function verifyTunnelWanted(settings: Settings): void {
  if (settings.publicUrlGiven) {
    throw toFailure(
      `--tunnel finds the public address itself, but it is set to ${settings.publicUrl}: leave one out`,
      exitUsage,
    )
  }
  if (settings.noSignIn && !settings.letAnyoneIn) {
    throw toFailure(
      '--no-sign-in lets in everyone who finds the address, and a tunnel puts it on the internet: leave one out, or set letAnyoneIn: true (GATEHOUSE_LET_ANYONE_IN) if that is what you want',
      exitUsage,
    )
  }
}

/**
 * Starts the program and waits for its address.
 *
 * @throws Failure when it is not installed, ends, or says no address in time, with what it said
 */
export async function openTunnel(
  name: TunnelName,
  { host, port }: { host: string; port: number },
): Promise<Tunnel> {
  const program = tunnelPrograms[name]
  printAside(`Starting ${name} for a public address …`)
  const child = spawn(name, program.toArguments(toOrigin(host, port)), {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const heard = listenTo(child)
  const ended = waitForEnd(child)
  let isClosing = false
  const close = async (): Promise<void> => {
    isClosing = true
    child.kill('SIGTERM')
    await ended.catch(() => undefined)
  }
  try {
    const url = await findAddress(program, heard, ended)
    const broken = ended.then(
      () => (isClosing ? new Promise<string>(() => undefined) : heard.tell()),
      () => heard.tell(),
    )
    return { program, url, broken, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the person has to know of the address. */
export function renderTunnelNote({ program, url }: Tunnel): string {
  const { addressChanges, name } = program
  if (addressChanges === 'never') return `${name} leads ${url} here. The address stays the same.`
  const when =
    addressChanges === 'always' ? 'at every start' : 'whenever ngrok gives you another one'
  return `WARNING: ${name} leads ${url} here. The address is a new one ${when}, and then every client must be connected again. For lasting use give Gatehouse an address of your own with --public-url.`
}

/** Our port as the program on this machine reaches it. */
function toOrigin(host: string, port: number): string {
  const isEverywhere = host === '0.0.0.0' || host === '::' || host === 'localhost'
  const local = isEverywhere ? '127.0.0.1' : host
  return `http://${local.includes(':') ? `[${local}]` : local}:${port}`
}

/** The lines a program says on either stream. */
interface Heard {
  onLine(hear: (line: string) => void): void
  /** The last lines, for an error message. */
  tell(): string
}

function listenTo({ stdout, stderr }: ChildProcess): Heard {
  const lines: string[] = []
  const listeners: ((line: string) => void)[] = []
  for (const stream of [stdout, stderr]) {
    if (!stream) continue
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (lines.length > linesKept) lines.shift()
      for (const hear of listeners) hear(line)
    })
  }
  return {
    onLine: (hear) => void listeners.push(hear),
    tell: () => lines.map((line) => `  ${line}`).join('\n'),
  }
}

function waitForEnd(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}

async function findAddress(
  program: TunnelProgram,
  heard: Heard,
  ended: Promise<number | null>,
): Promise<string> {
  const { name, address, request, installation } = program
  let timer: NodeJS.Timeout | undefined
  const said = new Promise<string>((resolve, reject) => {
    const giveUp = (): void =>
      reject(toFailure(`${name} said no public address in time. Its last words:\n${heard.tell()}`))
    timer = setTimeout(giveUp, patienceSeconds * 1000)
    heard.onLine((line) => {
      const [found] = address.exec(line) ?? []
      if (found !== undefined) resolve(found)
      if (request?.test(line) !== true) return
      printAside(`${name} asks you: ${line.trim()}`)
      clearTimeout(timer)
      timer = setTimeout(giveUp, patienceForPeopleSeconds * 1000)
    })
  })
  const gone = ended.then(
    (code) => {
      throw toFailure(`${name} ended with code ${code ?? 'none'}. Its last words:\n${heard.tell()}`)
    },
    (error: unknown) => {
      const isMissing = findSystemCode(error) === 'ENOENT'
      const sentence = isMissing
        ? `${name} is not installed here. Get it: ${installation}`
        : `${name} cannot be started: ${findSystemCode(error) ?? 'unknown reason'}`
      throw toFailure(sentence, 1, error)
    },
  )
  return Promise.race([said, gone]).finally(() => clearTimeout(timer))
}
