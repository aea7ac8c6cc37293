/** A Gatehouse as a process of its own: listening, metrics, and a stop that drops nobody (HA-10). */
import { setTimeout as wait } from 'node:timers/promises'
import { createGatehouse } from '../gatehouse.ts'
import type { Settings } from '../operate/config/load.ts'
import { renderProblem } from '../operate/config/problems.ts'
import { createProcessLog, openData, toOptions } from '../operate/config/to-options.ts'
import type { Gatehouse, GatehouseOptions } from '../options.ts'
import { systemClock } from '../platform/clock.ts'
import { listen, type NodeServer } from '../platform/node-server.ts'
import { copies } from '../storage/records/copy.ts'
import type { Store } from '../storage/store.ts'
import { exitUsage, findSystemCode, toFailure } from './failure.ts'
import { printAside } from './output.ts'
import { logStart } from './start-log.ts'
import { watchStoreFile } from './store-file.ts'
import { openTunnel, type Tunnel, verifyTunnelWanted } from './tunnel.ts'
import type { TunnelName } from './tunnel-programs.ts'

/** A Gatehouse that answers. */
export interface ServerProcess {
  readonly gatehouse: Gatehouse
  /** With port 0 the issuer has the port that was found, with a tunnel its address. */
  readonly settings: Settings
  readonly tunnel: Tunnel | undefined
  /** From now on `/readyz` says no and answers end their connections; everything else goes on. */
  drain(): void
  /** Finishes what is in flight, then lets go of everything. */
  stop(): Promise<void>
}

/**
 * Starts in the order in which things are likely to fail: port, tunnel, data, configuration. Requests that
 * arrive before all stands wait for it.
 */
export async function startServer(
  wanted: Settings,
  tunnelName?: TunnelName,
): Promise<ServerProcess> {
  if (tunnelName !== undefined) verifyTunnelWanted(wanted)
  let announce: (gatehouse: Gatehouse) => void = () => undefined
  const started = new Promise<Gatehouse>((resolve) => {
    announce = resolve
  })
  const server = await openPort(async (request, env) => (await started).fetch(request, env), wanted)
  const cleanups: (() => Promise<void>)[] = [() => server.close()]
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  }
  try {
    const tunnel = tunnelName && (await openTunnel(tunnelName, { ...wanted, port: server.port }))
    if (tunnel) cleanups.push(tunnel.close)
    const settings = toEffective(wanted, server.port, tunnel)
    const log = createProcessLog(settings)
    const data = await openData(settings, systemClock, log)
    cleanups.push(() => data.store.close())
    await takeOverCopy(data.store)
    for (const warning of settings.warnings) log.warn(renderProblem(warning))
    const file = await watchStoreFile(settings.store, log)
    cleanups.push(async () => file.stop())
    let isLeaving = false
    const isReady = async (): Promise<boolean> => !isLeaving && (await file.isThere())
    const gatehouse = await buildGatehouse({ ...(await toOptions(settings, data, log)), isReady })
    const metricsServer = await serveMetrics(gatehouse, settings)
    cleanups.splice(
      1,
      0,
      async () => metricsServer?.close(0),
      () => gatehouse.close(),
    )
    logStart(gatehouse.context)
    announce(gatehouse)
    const drain = (): void => {
      isLeaving = true
      server.drain()
    }
    return { gatehouse, settings, tunnel, drain, stop }
  } catch (error) {
    cleanups[0] = () => server.close(0)
    await stop()
    throw error
  }
}

/** The settings, once it is known where the world finds us. */
function toEffective(wanted: Settings, port: number, tunnel: Tunnel | undefined): Settings {
  if (wanted.publicUrlGiven) return wanted
  if (!tunnel) return { ...wanted, publicUrl: `http://localhost:${port}` }
  // Another address than last time is how such tunnels are; the note at the start says what it means.
  const acceptNewIssuer = wanted.acceptNewIssuer || tunnel.program.addressChanges !== 'never'
  return { ...wanted, publicUrl: tunnel.url, publicUrlGiven: true, acceptNewIssuer }
}

/** From now on a store that was copied leads a life of its own: nothing more is copied over it. */
async function takeOverCopy(store: Store): Promise<void> {
  const copy = await copies.find(store, 'self')
  if (copy === undefined) return
  const { key, version } = copy
  if (await store.commit({ check: [{ key, version }], delete: [key] })) return
  throw toFailure(
    'A copy into this store went on at the same moment; start again once it is through',
  )
}

/**
 * Resolves when the process was asked to stop and did; a second signal does not wait.
 *
 * SIGTERM comes from a service manager, so load balancers are given `drainSeconds` to look away before
 * the port closes: where nobody listens they would answer 502. Ctrl-C (SIGINT) stops at once.
 */
export async function untilStopped(server: ServerProcess): Promise<void> {
  const { settings, tunnel, drain, stop } = server
  const { drainSeconds } = settings
  const signal = await Promise.race([untilSignal(), ...(tunnel ? [tunnel.broken] : [])])
  if (tunnel && signal !== 'SIGTERM' && signal !== 'SIGINT') {
    await stop()
    throw toFailure(
      `${tunnel.program.name} ended, so nobody reaches us. Its last words:\n${signal}`,
    )
  }
  if (signal === 'SIGTERM' && drainSeconds > 0) {
    drain()
    printAside(`Leaving: /readyz says no, and requests are taken for ${drainSeconds} s more`)
    await wait(drainSeconds * 1000)
  }
  printAside('Stopping: requests in flight are finished first; a second signal ends them')
  await stop()
}

function untilSignal(): Promise<NodeJS.Signals> {
  let signals = 0
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      signals += 1
      if (signals > 1) process.exit(1)
      resolve(signal)
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  })
}

/** Wrong settings that only the whole can see are told like any other problem of the configuration. */
async function buildGatehouse(options: GatehouseOptions): Promise<Gatehouse> {
  try {
    return await createGatehouse(options)
  } catch (error) {
    if (error instanceof TypeError) throw toFailure(error.message, exitUsage, error)
    throw error
  }
}

async function openPort(
  fetch: Parameters<typeof listen>[0],
  { host, port }: { host: string; port: number },
): Promise<NodeServer> {
  try {
    return await listen(fetch, { host, port })
  } catch (error) {
    throw toFailure(toPortSentence(findSystemCode(error), host, port), 1, error)
  }
}

function toPortSentence(code: string | undefined, host: string, port: number): string {
  if (code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is in use; stop the other program or choose another one with --port`
  }
  if (code === 'EACCES') {
    return `Port ${port} may not be opened by this user; choose one above 1023 with --port`
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${host} is not an address of this machine; choose another one with --host`
  }
  return `Cannot listen on ${host} port ${port}${code === undefined ? '' : `: ${code}`}`
}

/** `GET /metrics` on a port of its own, when configured (catalogue OP-06). */
async function serveMetrics(
  { context }: Gatehouse,
  { metrics }: Settings,
): Promise<NodeServer | undefined> {
  if (metrics === undefined) return undefined
  return openPort(async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname !== '/metrics') return new Response('Not found\n', { status: 404 })
    const { body, contentType } = await context.metrics.expose()
    return new Response(body, { headers: { 'content-type': contentType } })
  }, metrics)
}
