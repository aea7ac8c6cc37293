/**
 * `gatehouse serve` with a real configuration file, in front of the notes server, and the providers that it
 * names, which are emulated on loopback.
 *
 * A provider has its address before it runs: Gatehouse starts first, as its callback is known only then.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmulator } from 'emulate'
import { createNotebook } from '../../src/cli/demo-server/notes.ts'
import { keyHeader, startNotesServer } from '../../src/cli/demo-server/server.ts'
import { type Running, runCommand, startCommand } from '../cli/command.ts'

import type { SendPath } from './oauth-client.ts'

/** A service that can be emulated. */
export type Service = 'github' | 'google' | 'okta'

/** A provider that has an address; it answers from `start` on. */
export interface ProviderSite {
  readonly origin: string
  /** Starts it, knowing these callbacks of the client `gatehouse` with the secret `emulated-secret`. */
  start(callbacks: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** The credentials that every emulated provider knows. */
export const app = { id: 'gatehouse', secret: 'emulated-secret' }

/** Reserves the address of a provider: until it starts, whoever connects is hung up on. */
export async function reserveProvider(service: Service): Promise<ProviderSite> {
  const absent = createServer((socket) => socket.destroy())
  const origin = await listen(absent)
  let stop = () => closeServer(absent)
  return {
    origin,
    start: async (callbacks) => {
      await stop()
      const port = Number(new URL(origin).port)
      const emulator = await createEmulator({
        service,
        port,
        seed: toSeed(callbacks),
        baseUrl: origin,
      })
      stop = () => emulator.close()
    },
    close: () => stop(),
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function toSeed(callbacks: readonly string[]) {
  const client = {
    client_id: app.id,
    client_secret: app.secret,
    name: 'Gatehouse',
    redirect_uris: [...callbacks],
  }
  const ada = { login: 'ada@acme.example', email: 'ada@acme.example', name: 'Ada Lovelace' }
  const eve = { login: 'eve@else.example', email: 'eve@else.example', name: 'Eve Elsewhere' }
  return {
    github: {
      users: [
        { ...ada, login: 'ada' },
        { ...eve, login: 'eve' },
      ],
      oauth_apps: [client],
    },
    google: { users: [ada, eve], oauth_clients: [client] },
    okta: {
      users: [
        { ...ada, first_name: 'Ada', last_name: 'Lovelace' },
        { ...eve, first_name: 'Eve', last_name: 'Elsewhere' },
      ],
      oauth_clients: [{ ...client, auth_server_id: 'default' }],
    },
  }
}

/** A running server. */
export interface Served {
  readonly issuer: string
  /** Everything printed at the start. */
  readonly printed: string
  readonly running: Running
  readonly send: SendPath
  /** Runs another command with the same configuration. */
  run(...args: string[]): ReturnType<typeof runCommand>
  close(): Promise<void>
}

/** Writes the file, adds the notes server to it as `notesUrl`, and serves it. */
export async function serveFile(toText: (notes: Notes) => string): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-served-'))
  const key = 'notes-key'
  const notes = await startNotesServer(createNotebook(join(folder, 'notes.json')), key)
  const file = join(folder, 'gatehouse.yaml')
  await writeFile(file, toText({ url: notes.url, header: keyHeader, key }))
  const options = { cwd: folder }
  const running = startCommand(['serve', '--config', file, '--port', '0'], options)
  const printed = await running.until(/claude mcp add.*\n/)
  const issuer = /Issuer +(\S+)/.exec(printed)?.[1] ?? ''
  return {
    issuer,
    printed,
    running,
    send: (path, init) => fetch(issuer + path, init),
    run: (...args) => runCommand([...args, '--config', file], options),
    close: async () => {
      running.child.kill('SIGKILL')
      await running.ended
      await notes.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What the file says of the notes server. */
export interface Notes {
  readonly url: string
  readonly header: string
  readonly key: string
}

/** Calls the tool that lists the notes; the status, and the text of the answer. */
export async function listNotes(
  { issuer }: Served,
  accessToken: string | undefined,
  path = '/mcp',
): Promise<{ status: number; text: string }> {
  const response = await fetch(issuer + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-06-18',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'list_notes', arguments: {} },
    }),
  })
  return { status: response.status, text: await response.text() }
}
