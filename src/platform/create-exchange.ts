/** Chooses the exchange for a request: over its sockets where the host handed them over, else over `Request`. */
import type { Random } from './crypto.ts'
import type { Exchange } from './exchange.ts'
import { createBackendAgent, createNodeExchange, findSockets } from './node-exchange.ts'
import { createWebExchange } from './web-exchange.ts'

/** Makes exchanges; holds the connections to the backends. */
export interface ExchangeFactory {
  create(request: Request, env: unknown): Exchange
  /** Waits for requests to backends that are in flight, then closes the connections. */
  close(): Promise<void>
}

/** The exchanges of one Gatehouse. */
export function createExchanges(ports: { random: Random; fetch: typeof fetch }): ExchangeFactory {
  const agent = createBackendAgent()
  return {
    create: (request, env) => {
      const sockets = findSockets(env)
      if (!sockets) return createWebExchange(request, ports)
      return createNodeExchange(sockets, { random: ports.random, agent })
    },
    close: () => agent.close(),
  }
}
