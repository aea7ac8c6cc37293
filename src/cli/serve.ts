/** `gatehouse serve`: Gatehouse in front of an MCP server. */
import { dirname } from 'node:path'
import type { Backend, Config } from '../context.ts'
import { OAuthError } from '../errors.ts'
import type { Upstream } from '../identity/upstream.ts'
import type { Given } from '../operate/config/layers.ts'
import type { Settings } from '../operate/config/load.ts'
import { renderStore } from '../operate/config/store.ts'
import type { Gatehouse } from '../options.ts'
import { chatgpt } from '../profiles/clients/chatgpt.ts'
import { claudeCode } from '../profiles/clients/claude-code.ts'
import { toCallbackUri } from '../server/flow/upstream-trip.ts'
import { exitUsage, toFailure } from './failure.ts'
import { print, printAside, renderPath, renderTable } from './output.ts'
import { findBackendProblem, renderProgram } from './probe.ts'
import { startServer, untilStopped } from './server-process.ts'
import { type DataOptions, loadSettings, toGiven, toNumber } from './settings.ts'
import { renderTunnelNote, type Tunnel } from './tunnel.ts'
import type { TunnelName } from './tunnel-programs.ts'
import { readVersion } from './version.ts'

/** Options of `serve`. */
export interface ServeOptions extends DataOptions {
  to?: string
  passEnv?: string[]
  publicUrl?: string
  host?: string
  port?: string
  drainSeconds?: string
  log?: 'json' | 'text'
  acceptNewIssuer?: boolean
  acceptNewProvider?: boolean
  tunnel?: TunnelName
  /** False with `--no-sign-in`. */
  signIn: boolean
}

/** Serves until it is asked to stop. `command` is the MCP server to start, and its arguments. */
export async function serve(options: ServeOptions, command: readonly string[] = []): Promise<void> {
  verifyCommand(command)
  const flags = [
    ...toGiven('--to', 'to', options.to),
    ...toGiven('--', 'command', command.length > 0 ? command : undefined),
    ...(options.passEnv ?? []).map((env) => toPassed(env)),
    ...toGiven('--public-url', 'publicUrl', options.publicUrl),
    ...toGiven('--host', 'host', options.host),
    ...toGiven('--port', 'port', toNumber(options.port)),
    ...toGiven('--drain-seconds', 'drainSeconds', toNumber(options.drainSeconds)),
    ...toGiven('--log', 'log.format', options.log),
    ...toGiven('--accept-new-issuer', 'acceptNewIssuer', options.acceptNewIssuer),
    ...toGiven('--accept-new-provider', 'acceptNewProvider', options.acceptNewProvider),
    ...toGiven('--no-sign-in', 'noSignIn', options.signIn ? undefined : true),
  ]
  const server = await startServer(
    loadSettings(options, flags, { needsBackend: true }),
    options.tunnel,
  )
  const stopped = untilStopped(server)
  const { gatehouse, settings } = server
  printStart(gatehouse, settings)
  if (server.tunnel) printTunnel(server.tunnel, gatehouse)
  await printNextStep(gatehouse)
  void warnOfBackends(gatehouse)
  void warnOfProviders(gatehouse)
  void warnOfApplications(gatehouse)
  await stopped
  // A provider or a backend may still owe an answer; whoever restarts us need not wait for it.
  process.exit()
}

/** Who forgets `--to` would start a program of that name. */
function verifyCommand([program = '']: readonly string[]): void {
  if (!/^https?:\/\//.test(program)) return
  throw toFailure(`${program} is an address: put it behind --to`, exitUsage)
}

/** A variable of ours for the program that is started. */
function toPassed(env: string): Given {
  return { path: ['env', env], value: { env }, place: '--pass-env' }
}

/** What stands, and where. */
export function printStart({ context }: Gatehouse, settings: Settings): void {
  const providers = [...context.upstreams.values()]
  const rows = [
    ['  Issuer', context.config.issuer],
    ...context.config.backends.flatMap((backend) => toBackendRows(backend, context.config)),
    ...providers.map((provider) => [
      '  Callback',
      `${toCallbackUri(provider, context)}  (as registered at ${provider.label})`,
    ]),
    ...toDataRows(settings),
  ]
  print(`Gatehouse ${readVersion()} is up`, '', renderTable(rows), '')
  if (!settings.oauthEnabled) printOpenHouse()
  else if (settings.noSignIn) printOpenDoor(settings.letAnyoneIn)
}

function toBackendRows(
  { path, resource, ssePath = path, to, program }: Backend,
  { issuer }: Pick<Config, 'issuer'>,
): string[][] {
  const target = program ? renderProgram(program) : to?.href
  const rows = [['  MCP URL', target === undefined ? resource : `${resource}  →  ${target}`]]
  return ssePath === path ? rows : [...rows, ['', `${issuer}${ssePath}  for HTTP+SSE`]]
}

/** The public address, and what to do with it. */
function printTunnel(tunnel: Tunnel, { context }: Gatehouse): void {
  const urls = context.config.backends.map(({ resource }) => resource)
  print(`For ChatGPT: ${chatgpt.adding?.menu}, authentication OAuth, MCP server URL`, '')
  print(...urls.map((url) => `  ${url}`), '')
  printAside(renderTunnelNote(tunnel), '')
}

/** Where the data is: the folder, unless a store of its own was named. */
function toDataRows({ data, store }: Settings): string[][] {
  const isInFolder = store.driver === 'sqlite' && dirname(store.path) === data
  return isInFolder ? [['  Data', renderPath(data)]] : [['  Store', renderStore(store)]]
}

/** The start does not wait for the backends; they may come later than we do. */
async function warnOfBackends({ context }: Gatehouse): Promise<void> {
  const { config, programs } = context
  const problems = await Promise.all(
    config.backends.map((backend) => findBackendProblem(backend, programs)),
  )
  for (const problem of problems) {
    if (problem !== undefined) printAside(`WARNING: ${problem}`, '')
  }
}

/**
 * Says why nobody will be able to sign in with a provider. The start does not wait for it, and a provider
 * that cannot be reached is none of its problems.
 */
export async function warnOfProviders({ context }: Gatehouse): Promise<void> {
  const { upstreams, log } = context
  const check = async (upstream: Upstream): Promise<void> => {
    const callback = toCallbackUri(upstream, context)
    const problem = await upstream.findProblem?.(callback)
    if (problem === undefined) return
    const provider = upstream.id
    log.warn(`Nobody can sign in with provider ${provider}: ${problem}`, { provider, callback })
  }
  const checks = await Promise.allSettled([...upstreams.values()].map(check))
  for (const { reason } of checks.filter((one) => one.status === 'rejected')) {
    log.debug('A provider could not be checked', { error: reason })
  }
}

/** Says why no client will be able to register, where each becomes an application at the provider. */
async function warnOfApplications({ context }: Gatehouse): Promise<void> {
  const { applications, log } = context
  await applications?.has('gatehouse-asks-whether-it-may-ask').catch((error: unknown) => {
    const isRefused = error instanceof OAuthError && /_status_4\d\d$/.test(error.reason ?? '')
    if (!isRefused) return log.debug('The applications could not be looked at', { error })
    const { label } = applications
    log.warn(
      `Nobody can register: ${label} refuses the credentials of registration.auth0, or they lack a permission; see docs/guides/registration-modes.md`,
      { reason: error.reason },
    )
  })
}

/** The one thing to do next. */
async function printNextStep(gatehouse: Gatehouse): Promise<void> {
  const link = await gatehouse.createSetupLink()
  if (link !== undefined) {
    print(
      'There is no account yet. Open this link once to make yours, the owner’s:',
      '',
      `  ${link}`,
      '',
    )
  }
  const [backend] = gatehouse.context.config.backends
  if (backend !== undefined) {
    const when = link === undefined ? 'Next' : 'Then'
    print(`${when}: give the MCP URL to your client, for example`, '')
    const { id: name, resource: url } = backend
    print(`  ${claudeCode.adding?.toCopy?.({ name, url })}`, '')
  }
}

function printOpenHouse(): void {
  const what = 'everyone who reaches the MCP URL uses the server behind it, without sign-in'
  printAside(`WARNING: OAuth is off (OAUTH_ENABLED, oauthEnabled): ${what}.`, '')
}

function printOpenDoor(letAnyoneIn: boolean): void {
  const who = letAnyoneIn
    ? 'EVERYONE WHO FINDS THE ADDRESS'
    : 'Every program and person on this machine'
  printAside(`WARNING: sign-in is off. ${who} gets in with one click.`, '')
}
