/** A load balancer that knows nothing and retries nothing: each request goes to the next process, once. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/** Where requests go, and how many of them got no answer. */
export interface Balancer {
  readonly origin: string
  /** Requests go there from now on, too. */
  add(origin: string): void
  /** No new request goes there; resolves when those that were on their way have arrived. */
  remove(origin: string): Promise<void>
  close(): Promise<void>
}

/** Starts one on a free port of loopback. A process that does not answer is a 502. */
export async function startBalancer(): Promise<Balancer> {
  const targets: string[] = []
  const travels = new Map<string, Set<Promise<void>>>()
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    turn += 1
    const target = targets[turn % targets.length]
    if (target === undefined) return void outgoing.writeHead(503).end()
    const travel = pass(incoming, outgoing, target)
    const here = travels.get(target) ?? new Set()
    travels.set(target, here.add(travel))
    void travel.then(() => here.delete(travel))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    origin: `http://localhost:${port}`,
    add: (origin) => void targets.push(origin),
    remove: async (origin) => {
      targets.splice(targets.indexOf(origin), 1)
      const here = [...(travels.get(origin) ?? [])]
      await Promise.all(here)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Asks processes whether they are ready. */
export interface ReadinessWatch {
  /** Goes on asking this process; resolves when it was ready for the first time. */
  watch(origin: string): Promise<void>
  /** Asks no more. */
  stop(): Promise<void>
}

const askEveryMs = 25

/** Takes processes in and out of a balancer as their `/readyz` says; nothing else is known of them. */
export function followReadiness(balancer: Balancer): ReadinessWatch {
  let isOver = false
  const follow = async (origin: string, announce: () => void): Promise<void> => {
    let isIn = false
    while (!isOver) {
      const isReady = await askReadiness(origin)
      if (isReady && !isIn) balancer.add(origin)
      if (!isReady && isIn) await balancer.remove(origin)
      isIn = isReady
      if (isIn) announce()
      await wait(askEveryMs)
    }
  }
  const follows: Promise<void>[] = []
  return {
    watch: (origin) => new Promise((resolve) => void follows.push(follow(origin, resolve))),
    stop: async () => {
      isOver = true
      await Promise.all(follows)
    },
  }
}

async function askReadiness(origin: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/readyz`)).status === 200
  } catch {
    return false
  }
}

/** Passes a request on; resolves when the process has the connection, or there is none. */
function pass(incoming: IncomingMessage, outgoing: ServerResponse, target: string): Promise<void> {
  const { method, headers, url = '/' } = incoming
  const upstream = request(target + url, { method, headers, agent: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  upstream.on('error', (error) => {
    if (outgoing.headersSent) outgoing.destroy()
    else outgoing.writeHead(502).end(error.message)
  })
  incoming.pipe(upstream)
  return new Promise((resolve) => {
    upstream.once('error', () => resolve())
    upstream.once('socket', (socket) => socket.once('connect', () => resolve()))
  })
}
