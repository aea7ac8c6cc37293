/** `gatehouse demo`: a notes server behind Gatehouse, with an owner to sign in as. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Users } from '../identity/users.ts'
import type { Gatehouse } from '../options.ts'
import { systemRandom } from '../platform/crypto.ts'
import { chatgpt } from '../profiles/clients/chatgpt.ts'
import { claudeCode } from '../profiles/clients/claude-code.ts'
import { codex } from '../profiles/clients/codex.ts'
import { inspector } from '../profiles/clients/inspector.ts'
import { vscode } from '../profiles/clients/vscode.ts'
import type { ClientProfile } from '../profiles/profile.ts'
import { createNotebook } from './demo-server/notes.ts'
import { keyHeader, type NotesServer, startNotesServer } from './demo-server/server.ts'
import { print, printAside, renderPath, renderTable } from './output.ts'
import { printStart, warnOfProviders } from './serve.ts'
import { startServer, untilStopped } from './server-process.ts'
import { loadSettings, toGiven, toNumber } from './settings.ts'
import { renderTunnelNote } from './tunnel.ts'
import type { TunnelName } from './tunnel-programs.ts'

/** Options of `demo`. */
export interface DemoOptions {
  port: string
  publicUrl?: string
  data: string
  tunnel?: TunnelName
  /** False with `--no-sign-in`. */
  signIn: boolean
}

const scopes = {
  'notes:read': 'Read and search your notes',
  'notes:write': 'Add notes',
}

/** How this command is typed: from a checkout or installed. */
const isCheckout = import.meta.url.endsWith('.ts')
const command = isCheckout ? 'npm run demo --' : 'gatehouse demo'

const ownerEmail = 'owner@example.com'
/** Where the made-up password is kept, so that the demo can be started again tomorrow. */
const ownerFile = 'owner.txt'

/** Serves the demo until it is asked to stop. */
export async function serveDemo(options: DemoOptions): Promise<void> {
  const key = systemRandom(24)
  const path = join(loadSettings(options).data, 'notes.json')
  const notes = await startNotesServer(createNotebook(path), key)
  try {
    await serveNotes(notes, key, options)
  } finally {
    await notes.close()
  }
}

async function serveNotes(notes: NotesServer, key: string, options: DemoOptions): Promise<void> {
  const wanted = loadSettings(options, [
    ...toGiven('--port', 'port', toNumber(options.port)),
    ...toGiven('--public-url', 'publicUrl', options.publicUrl),
    ...toGiven('--no-sign-in', 'noSignIn', options.signIn ? undefined : true),
    ...toGiven('demo', 'to', notes.url),
    ...toGiven('demo', 'backends', [{ name: 'Notes', headers: { [keyHeader]: key } }]),
    ...toGiven('demo', 'scopes', scopes),
    ...toGiven('demo', 'siteName', 'Notes'),
    ...toGiven('demo', 'acceptNewIssuer', true),
  ])
  const server = await startServer(wanted, options.tunnel)
  const stopped = untilStopped(server)
  const { gatehouse, settings } = server
  printStart(gatehouse, settings)
  if (server.tunnel) printAside(renderTunnelNote(server.tunnel), '')
  if (options.signIn) await printOwner(gatehouse.context.users, settings.data)
  printConnections(gatehouse)
  void warnOfProviders(gatehouse)
  await stopped
}

/** Makes the owner's account at the first start; later it tells where the password is. */
async function printOwner(users: Users, folder: string): Promise<void> {
  const file = join(folder, ownerFile)
  if (!(await users.any())) {
    const password = systemRandom(12)
    await users.addLocal(ownerEmail, password, 'owner')
    writeFileSync(file, `${ownerEmail}\n${password}\n`, { mode: 0o600 })
  }
  const [email = '', password = ''] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  if ((await users.findByLogin(email)) === undefined) {
    return print('Sign in with the account you made', '')
  }
  const isCurrent = (await users.verifyPassword(email, password)) !== undefined
  const rows = [
    ['  E-mail', email],
    ['  Password', isCurrent ? password : 'the one you set'],
    ...(isCurrent ? [['  Kept in', renderPath(file)]] : []),
  ]
  print('Sign in as', '', renderTable(rows), '')
}

/** What to paste where. */
function printConnections({ context }: Gatehouse): void {
  const { issuer, backends } = context.config
  const url = backends[0]?.resource ?? issuer
  const rows = [
    toRow(claudeCode, url),
    ['', 'then /mcp in a session, and choose notes'],
    toRow(codex, url),
    toRow(vscode, url),
    toRow(inspector, url),
    ...toChatGptRows(issuer, url),
  ]
  const doctor = `${isCheckout ? 'npm run gatehouse --' : 'gatehouse'} doctor ${url}`
  print('Connect a client', '', renderTable(rows), '')
  print(`See what each of them would do:  ${doctor}`, '', 'Press Ctrl+C to stop.')
}

function toRow({ name, adding }: ClientProfile, url: string): string[] {
  return [`  ${name}`, adding?.toCopy?.({ name: 'notes', url }) ?? '']
}

/** ChatGPT comes from the internet, so it needs a public address that leads here. */
function toChatGptRows(issuer: string, url: string): string[][] {
  const { menu = '' } = chatgpt.adding ?? {}
  if (issuer.startsWith('https:')) {
    return [['  ChatGPT', `${menu}: MCP server URL ${url}, authentication OAuth`]]
  }
  return [
    ['  ChatGPT', 'needs an address on the internet: start the demo with a tunnel,'],
    ['', `  ${command} --tunnel cloudflared`],
    ['', `and paste the address it prints under ${menu}`],
  ]
}
