/**
 * A little internet on loopback: `https://*.example.com` leads to one HTTP server, any other host to nothing.
 * What the doctor sends and reads is real; only where it connects to is ours.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Visit } from '../../../src/doctor/visit.ts'
import type { HostFacts } from '../../../src/platform/inspect-host.ts'
import { createSend, type ProbeRequest, type Send } from '../../../src/platform/probe.ts'
import type { ProbeFailure } from '../../../src/platform/probe-failure.ts'
import { closeNow, listenOnLoopback } from '../../helpers/loopback.ts'
import { userAgent, visit } from '../visiting.ts'
import { type Answerer, createHealthy, mcpUrl, type Reply } from './healthy.ts'

/** Changes one answer of the healthy server. */
export type Alter = (healthy: Answerer) => Answerer

/** How one world differs from the healthy one. */
export interface World {
  readonly alter?: Alter
  /** The URL that the person typed. Default that of the healthy server. */
  readonly url?: string
  /** What DNS and the handshake say. Default: one public IPv4 address. */
  readonly host?: Partial<HostFacts> | ProbeFailure
  /** How long every answer is said to have taken. */
  readonly milliseconds?: number
  /** What comes of every request, when none arrives. */
  readonly failure?: ProbeFailure
}

/** Visits a world as every client, and takes it down. */
export async function visitWorld(world: World): Promise<Visit> {
  const { alter, url = mcpUrl, host, failure, milliseconds } = world
  const answer = alter?.(createHealthy()) ?? createHealthy()
  const server = createServer((request, response) => {
    void serve(answer, request, response)
  })
  const address = await listenOnLoopback(server)
  const port = Number(new URL(url).port || 443)
  const facts = { host: 'mcp.example.com', port, ipv4: ['8.8.8.8'], ipv6: [], isPublic: true }
  const isGone = host !== undefined && 'kind' in host
  try {
    return await visit(url, {
      send: failure
        ? async () => ({ failure, milliseconds: 1 })
        : taking(milliseconds, toAddress(address)),
      inspectHost: async () => (isGone ? (host as ProbeFailure) : { ...facts, ...host }),
    })
  } finally {
    await closeNow(server)
  }
}

function taking(milliseconds: number | undefined, send: Send): Send {
  if (milliseconds === undefined) return send
  return async (...asked) => ({ ...(await send(...asked)), milliseconds })
}

/** Sends requests for hosts of this internet to the one address, with the host they were for. */
function toAddress(address: string): Send {
  const send = createSend({ userAgent, deadlineSeconds: 5 })
  return async (request, options) => {
    const { hostname, host, pathname, search, protocol } = new URL(request.url)
    if (!/(^|\.)example\.com$/.test(hostname)) return unreached
    const sent: ProbeRequest = {
      ...request,
      url: `${address}${pathname}${search}`,
      headers: { ...request.headers, host, 'x-forwarded-proto': protocol.slice(0, -1) },
    }
    return send(sent, options)
  }
}

const unreached = {
  failure: { kind: 'refused', detail: 'nothing listens there' },
  milliseconds: 1,
} as const

async function serve(
  answer: Answerer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { host = '', 'x-forwarded-proto': scheme = 'https' } = request.headers
  const reply = answer({
    method: request.method ?? 'GET',
    url: new URL(`${String(scheme)}://${host}${request.url ?? '/'}`),
    headers: request.headers as Record<string, string | undefined>,
    body: await text(request),
  })
  write(response, reply)
}

function write(response: ServerResponse, { status, headers = {}, body = '' }: Reply): void {
  const isJson = typeof body !== 'string'
  response.writeHead(status, isJson ? { 'content-type': 'application/json', ...headers } : headers)
  response.end(isJson ? JSON.stringify(body) : body)
}
