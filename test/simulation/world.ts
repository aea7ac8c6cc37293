/** The simulated deployment: one store, one to three processes over it, one clock, and what goes wrong. */
import { createGatehouse } from '../../src/gatehouse.ts'
import type { Gatehouse } from '../../src/options.ts'
import type { Log, Metrics } from '../../src/platform/ports.ts'
import type { memoryStore } from '../../src/storage/memory.ts'
import type { Store } from '../../src/storage/store.ts'
import { createDice, type Dice } from './dice.ts'
import { linkStore, type Network } from './link.ts'
import { type Owner, origins, type RequestRecord } from './origin.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import type { Settings } from './settings.ts'
import { deployment, readTemplate, startOfTime } from './template.ts'
import { people } from './upstream.ts'

/** A process that answers requests, or did. */
export interface Process extends Owner {
  /** Its clock minus the true one, in seconds. */
  readonly skewSeconds: number
  gatehouse: Gatehouse | undefined
  /** The requests under way; a crash rejects them. */
  readonly open: Set<(error: ConnectionLost) => void>
  /** Whether its clock jumped by an hour or more since it started: it may answer 503 once for that. */
  jumped: boolean
}

/** What a client sees when the process died. */
export class ConnectionLost extends Error {}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly record: RequestRecord
  readonly process: Process
}

/** Makes the store of a schedule; a test may hand in one that breaks the contract. */
export type MakeStore = typeof memoryStore

export interface World {
  readonly seed: number
  readonly settings: Settings
  readonly dice: Dice
  readonly scheduler: Scheduler
  readonly store: Store
  readonly lines: string[]
  readonly processes: Process[]
  /** Those off the balancer that still finish what is in flight. */
  readonly draining: Set<Process>
  /** Until faults are over for good. */
  isRough: boolean
  /** Store operations that are still to fail. */
  outage: number
  /** The names of requests that a process slept in, for as long as it is forgiven. */
  readonly interrupted: Set<string>
  /** True unix seconds. */
  now(): number
  /** How far any clock may be off, in seconds, seen from any other moment. */
  margin(): number
  /** Moves the clocks; with `passes` timers notice. */
  moveClock(seconds: number, passes: boolean): void
  trace(line: string): void
  start(name: string): Promise<void>
  /** Ends a process like a power cut. */
  crash(process: Process): void
  /** Finishes what is in flight, then ends it. */
  stop(process: Process): Promise<void>
  /** Sends a request to a process, any one by default. */
  send(name: string, request: Request, to?: Process): Promise<Answer>
  /** Runs work of the owner in a process, as its command line would. */
  call<T>(name: string, work: (gatehouse: Gatehouse) => Promise<T>): Promise<T>
  end(): Promise<void>
}

/** How much longer than its access tokens the mark of an ended grant is kept, in seconds. */
const forgivenSleepSeconds = 60

/** Builds the deployment of a seed; its processes are not started yet. */
export async function createWorld(
  seed: number,
  settings: Settings,
  makeStore: MakeStore,
): Promise<World> {
  const template = await readTemplate()
  const time = { now: startOfTime, backward: 0 }
  const store = makeStore({ clock: { now: () => time.now } })
  await store.commit({ set: template.map(({ key, value }) => ({ key, value })) })
  const dice = createDice(seed, 'fate')
  const lines: string[] = []
  const pending = new Set<RequestRecord>()

  const world: World = {
    seed,
    settings,
    dice,
    scheduler: createScheduler(dice),
    store,
    lines,
    processes: [],
    draining: new Set(),
    isRough: true,
    outage: 0,
    interrupted: new Set(),
    now: () => time.now,
    margin: () => 2 * settings.skewSeconds + time.backward + 1,
    moveClock(seconds, passes) {
      time.now += seconds
      time.backward += Math.max(0, -seconds)
      const running = [...world.processes, ...world.draining]
      if (seconds >= 3600) for (const process of running) process.jumped = true
      if (seconds + world.margin() > forgivenSleepSeconds) {
        for (const { name } of pending) world.interrupted.add(name)
      }
      if (passes) world.scheduler.pass(Math.max(0, seconds) * 1000)
      world.trace(`the clock moves by ${seconds} s${passes ? '' : ', nobody notices'}`)
    },
    trace: (line) => void lines.push(line),
    start: (name) => startProcess(world, name),
    crash: (process) => crash(world, process),
    stop: (process) => stopProcess(world, process),
    send: (name, request, to) =>
      ask({ world, pending, name }, (process, record) => serve(process, request, record), to),
    call: (name, work) =>
      ask({ world, pending, name }, ({ gatehouse }) =>
        gatehouse ? work(gatehouse) : Promise.reject(new ConnectionLost()),
      ),
    async end() {
      for (const process of world.processes) process.isAlive = false
      world.scheduler.restore()
      for (const process of world.processes) void process.gatehouse?.close()
      await store.close()
    },
  }
  return world
}

async function startProcess(world: World, name: string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const process = createProcess(world, name)
    world.processes.push(process)
    try {
      process.gatehouse = await origins.run({ owner: process }, () => build(world, process))
      world.trace(`${name} listens`)
      return
    } catch (error) {
      // The supervisor starts it again.
      process.isAlive = false
      removeProcess(world, process)
      if (process.faults === 0) throw error
      world.trace(`${name} does not start`)
    }
  }
  throw new Error(`${name} never starts`)
}

function createProcess({ settings, dice }: World, name: string): Process {
  const { skewSeconds } = settings
  return {
    name,
    isAlive: true,
    faults: 0,
    skewSeconds: dice.below(2 * skewSeconds + 1) - skewSeconds,
    gatehouse: undefined,
    open: new Set(),
    jumped: false,
  }
}

function build(world: World, process: Process): Promise<Gatehouse> {
  const { settings, dice, seed } = world
  const network: Network = {
    store: world.store,
    scheduler: world.scheduler,
    dice,
    faultRate: () => takeFaultRate(world),
    hintLoss: settings.hintLoss,
    trace: world.trace,
  }
  const ownDice = createDice(seed, process.name, world.lines.length)
  return createGatehouse({
    ...deployment,
    store: linkStore(network, process),
    clock: { now: () => world.now() + process.skewSeconds },
    random: ownDice.bytes,
    upstreams: [people],
    reuseRegistrations: settings.reuseRegistrations,
    refresh: { onReuse: settings.onReuse },
    fetch: async () => Response.json({ jsonrpc: '2.0', id: 1, result: {} }),
    log: noteReason,
    audit: ({ event, reason }) => {
      const request = origins.getStore()?.request
      if (request && event === 'grant.ended') request.endedGrant = true
      world.trace(`${process.name}: ${event} ${reason ?? ''}`)
    },
    metrics: noMetrics,
  })
}

function takeFaultRate(world: World): number {
  if (!world.isRough) return 0
  if (world.outage === 0) return world.settings.faultRate
  world.outage -= 1
  return 1
}

/** The log is where the server says why it refused. */
const noteReason: Log = {
  debug: () => {},
  warn: () => {},
  info: (_, fields) => keepReason(fields),
  error: (_, fields) => keepReason(fields),
}

function keepReason(fields: Record<string, unknown> | undefined): void {
  const request = origins.getStore()?.request
  if (!request || typeof fields?.reason !== 'string') return
  request.reason = fields.reason
  if (fields.error instanceof Error) request.cause = fields.error
}

const noMetrics: Metrics = {
  count: () => {},
  time: () => {},
  gauge: () => {},
  expose: async () => ({ body: '', contentType: 'text/plain' }),
}

function crash(world: World, process: Process): void {
  world.trace(`${process.name} dies`)
  process.isAlive = false
  removeProcess(world, process)
  for (const fail of process.open) fail(new ConnectionLost())
  // What it held of this real process; its store no longer answers, so nothing comes of it.
  void process.gatehouse?.close()
}

/** Takes it off the balancer; false when it is off already. */
function removeProcess({ processes }: World, process: Process): boolean {
  const at = processes.indexOf(process)
  if (at >= 0) processes.splice(at, 1)
  return at >= 0
}

async function stopProcess(world: World, process: Process): Promise<void> {
  if (!removeProcess(world, process)) return
  world.trace(`${process.name} stops`)
  world.draining.add(process)
  while (process.open.size > 0) await world.scheduler.turn()
  world.draining.delete(process)
  process.isAlive = false
  void process.gatehouse?.close()
}

type Work<T> = (process: Process, record: RequestRecord) => Promise<T>

/** What is asked, and what else is under way. A request of a process that died stays: its commit may yet come. */
interface Question {
  readonly world: World
  readonly pending: Set<RequestRecord>
  readonly name: string
}

/** Lets a process do something; rejects when it dies before its answer arrived. */
function ask<T>({ world, pending, name }: Question, work: Work<T>, to?: Process): Promise<T> {
  const { scheduler, dice } = world
  const ready = world.processes.filter(({ gatehouse }) => gatehouse)
  const process = to ?? (ready.length > 0 ? dice.pick(ready) : undefined)
  if (!process?.isAlive) return scheduler.turn().then(() => Promise.reject(new ConnectionLost()))
  const record: RequestRecord = {
    name,
    owner: process,
    faults: 0,
    mayHaveWritten: false,
    endedGrant: false,
  }
  return new Promise<T>((resolve, reject) => {
    process.open.add(reject)
    pending.add(record)
    const finish = (settle: () => void): void =>
      scheduler.add(() => {
        process.open.delete(reject)
        pending.delete(record)
        settle()
      })
    scheduler.add(() => {
      if (!process.isAlive) return
      origins.run({ owner: process, request: record }, () => {
        work(process, record).then(
          (value) => finish(() => resolve(value)),
          (error) => finish(() => reject(error)),
        )
      })
    })
  })
}

async function serve(process: Process, request: Request, record: RequestRecord): Promise<Answer> {
  const response = await process.gatehouse?.fetch(request)
  if (!response) throw new ConnectionLost()
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, record, process }
}
