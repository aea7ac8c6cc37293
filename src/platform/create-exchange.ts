/** Chooses the exchange for a request: over its sockets where the host handed them over, else over `Request`. */
import type { Agent } from 'undici'
import { unavailable } from '../errors.ts'
import type { Random } from './crypto.ts'
import type { Answer, Exchange } from './exchange.ts'
import { createNodeExchange, findSockets, respondOver } from './node-exchange.ts'
import { createWebExchange } from './web-exchange.ts'

/** Makes exchanges; holds the connections to the backends. */
export interface ExchangeFactory {
  create(request: Request, env: unknown): Exchange
  /** Sends an answer that needed no exchange, as `Exchange.respond` does. */
  respond(answer: Answer, env: unknown): Response
  /**
   * Ends the requests of our own, which may stand for ever, waits for the forwarded ones that are in
   * flight, then closes the connections.
   */
  close(): Promise<void>
}

/** The exchanges of one Gatehouse. */
export function createExchanges(ports: { random: Random; fetch: typeof fetch }): ExchangeFactory {
  let agent: Promise<Agent> | undefined
  const openAgent = (): Promise<Agent> => (agent ??= loadAgent())
  const ending = new AbortController()
  const web = { random: ports.random, fetch: ports.fetch, closing: ending.signal }
  const node = { random: ports.random, openAgent, closing: ending.signal }
  return {
    create: (request, env) => {
      const sockets = findSockets(env)
      if (!sockets) return createWebExchange(request, web)
      return createNodeExchange(sockets, node)
    },
    close: async () => {
      ending.abort(unavailable('gate_closing'))
      await (await agent)?.close()
    },
    respond: (answer, env) => respondOver(findSockets(env), answer),
  }
}

async function loadAgent(): Promise<Agent> {
  const { createBackendAgent } = await import('./backend-agent.ts')
  return createBackendAgent()
}
