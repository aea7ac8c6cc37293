/** A Gatehouse as a process of its own: listening, metrics, and a stop that drops nobody. */
import { createGatehouse } from '../gatehouse.ts'
import type { Settings } from '../operate/config/load.ts'
import { isShared } from '../operate/config/store.ts'
import {
  createProcessLog,
  type OpenedData,
  openData,
  toOptions,
} from '../operate/config/to-options.ts'
import type { Gatehouse } from '../options.ts'
import { systemClock } from '../platform/clock.ts'
import { listen, type NodeServer } from '../platform/node-server.ts'
import type { Log } from '../platform/ports.ts'
import { copies } from '../storage/records/copy.ts'
import type { Store } from '../storage/store.ts'
import { exitUsage, findSystemCode, toFailure } from './failure.ts'
import { printAside } from './output.ts'

/** A Gatehouse that answers. */
export interface ServerProcess {
  readonly gatehouse: Gatehouse
  /** With port 0 the issuer has the port that was found. */
  readonly settings: Settings
  /** Finishes what is in flight, then lets go of everything. */
  stop(): Promise<void>
}

/**
 * Starts in the order in which things are likely to fail: port, data, configuration. Requests that
 * arrive before all stands wait for it.
 */
export async function startServer(wanted: Settings): Promise<ServerProcess> {
  let announce: (gatehouse: Gatehouse) => void = () => undefined
  const started = new Promise<Gatehouse>((resolve) => {
    announce = resolve
  })
  const server = await openPort(async (request, env) => (await started).fetch(request, env), wanted)
  const settings = wanted.publicUrlGiven
    ? wanted
    : { ...wanted, publicUrl: `http://localhost:${server.port}` }
  const cleanups: (() => Promise<void>)[] = [() => server.close()]
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  }
  try {
    const log = createProcessLog(settings)
    const data = await openData(settings, systemClock, log)
    cleanups.push(() => data.store.close())
    await takeOverCopy(data.store)
    warnOfLoss(settings, log)
    const gatehouse = await buildGatehouse(settings, data, log)
    const metricsServer = await serveMetrics(gatehouse, settings)
    cleanups.splice(
      1,
      0,
      async () => metricsServer?.close(0),
      () => gatehouse.close(),
    )
    announce(gatehouse)
    return { gatehouse, settings, stop }
  } catch (error) {
    cleanups[0] = () => server.close(0)
    await stop()
    throw error
  }
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

/** On a disk that goes with the instance everybody would have to connect again and again (H9). */
function warnOfLoss({ ephemeralPlatform, store }: Settings, log: Log): void {
  if (ephemeralPlatform === undefined || isShared(store)) return
  log.warn(
    `On ${ephemeralPlatform} the disk goes with the instance, and with it every account, client and token; use --store postgres://… or redis://…`,
  )
}

/** Resolves when the process was asked to stop and did; a second signal does not wait. */
export async function untilStopped(stop: () => Promise<void>): Promise<void> {
  let signals = 0
  await new Promise<void>((resolve) => {
    const onSignal = (): void => {
      signals += 1
      if (signals > 1) process.exit(1)
      resolve()
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  })
  printAside('Stopping: requests in flight are finished first; a second signal ends them')
  await stop()
}

/** Wrong settings that only the whole can see are told like any other problem of the configuration. */
async function buildGatehouse(settings: Settings, data: OpenedData, log: Log): Promise<Gatehouse> {
  const options = await toOptions(settings, data, log)
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
