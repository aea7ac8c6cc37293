/** Gatehouse in a Fastify server (5): `await fastify.register(toPlugin(gatehouse))`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Guarding, guardNodeRequest, type Mountable, toNodeListener, toPath } from './node.ts'

/** As much of a Fastify request as is used here. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage
  readonly is404: boolean
}

/** As much of a Fastify reply as is used here. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse
  hijack(): unknown
}

type Hook = (
  request: FastifyRequestLike,
  reply: FastifyReplyLike,
  done: (error?: Error) => void,
) => void

/** An `onRequest` hook that gives a promise; the reply, once it is sent. */
export type GuardHook = (
  request: FastifyRequestLike,
  reply: FastifyReplyLike,
) => Promise<FastifyReplyLike | undefined>

/** As much of a Fastify server as is used here. */
export interface FastifyLike {
  addHook(name: 'onRequest', hook: Hook): unknown
}

/** A Fastify plugin. */
export type FastifyPlugin = (fastify: FastifyLike, options: unknown, done: () => void) => void

/**
 * A plugin that answers our paths, except those for which the host has routes of its own.
 *
 * It acts before bodies are parsed, and on the server it is registered in, not in a scope of its own.
 */
export function toPlugin(mounted: Mountable): FastifyPlugin {
  const listener = toNodeListener(mounted.fetch)
  const plugin: FastifyPlugin = (fastify, _options, done) => {
    fastify.addHook('onRequest', (request, reply, next) => {
      if (!request.is404 || !mounted.serves(toPath(request.raw.url))) return next()
      reply.hijack()
      return listener(request.raw, reply.raw)
    })
    done()
  }
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'mcp-gatehouse',
  })
}

/**
 * An `onRequest` hook that lets in whoever has an access token for the route. `request.raw.auth` then says
 * who it is, where the MCP SDK's transports look for it.
 */
export function toGuard<Options>(
  guarding: Guarding<unknown, Options>,
  options?: Options,
): GuardHook {
  return async (request, reply) => {
    const sockets = { incoming: request.raw, outgoing: reply.raw }
    const auth = await guardNodeRequest(guarding, sockets, options, () => reply.hijack())
    return auth === undefined ? reply : undefined
  }
}
