/** A tool call through the gate, and through proxies that protect nothing. */
import { createClient, type Tokens } from './client.ts'
import { bareName, type Contender, type IsWanted, issuers } from './contenders.ts'
import { findLane, openLanes } from './lanes.ts'
import type { Operate } from './load.ts'
import type { MeasuredServer } from './server-process.ts'
import type { FixedAnswer } from './servers/protocol.ts'
import type { Workshop } from './workshop.ts'

/** A small tool call of 200 bytes and its answer. */
const toolCall = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'search', arguments: { text: 'x'.repeat(103) } },
})
const toolAnswer: FixedAnswer = {
  status: 200,
  headers: ['content-type', 'application/json'],
  body: 'x'.repeat(600),
}

/** Starts the backend and everything that stands in front of it. */
export async function prepareProxies(workshop: Workshop, isWanted: IsWanted): Promise<Contender[]> {
  const upstream = await workshop.start({ kind: 'bare', answers: [toolAnswer] })
  const backend = `${upstream.origin}/0`
  const plain: Contender[] = []
  const add = async (name: string, starting: Promise<MeasuredServer>) => {
    const server = await starting
    plain.push({ name, server, operate: call(server, '/0', () => plainToken) })
  }
  await add(bareName, workshop.start({ kind: 'bare', answers: [toolAnswer] }))
  await add('node:http pipe', workshop.start({ kind: 'http-pipe', backend }))
  await add('undici only', workshop.start({ kind: 'undici-pipe', backend }))
  for (const issuer of issuers) {
    if (!['memory', 'sqlite'].includes(issuer.id) || !isWanted(issuer)) continue
    const server = await workshop.startIssuer(issuer, { pageBytes: 0, backend })
    const people = await openLanes(createClient(server.send, server), server)
    const operate = call(server, '/mcp', (lane) => findLane(people, lane).tokens.accessToken)
    plain.push({ name: issuer.name, server, operate })
  }
  return plain
}

/** As long as ours, so that all read the same. */
const plainToken: Tokens['accessToken'] = 'x'.repeat(480)

function call(server: MeasuredServer, path: string, findToken: (lane: number) => string): Operate {
  return async (lane) => {
    const headers = toToolHeaders(findToken(lane))
    const reply = await server.send({ method: 'POST', path, headers, body: toolCall })
    if (reply.status !== 200) throw new Error(`Answered ${reply.status}: ${reply.body}`)
  }
}

/** What the official clients send with a call. */
function toToolHeaders(accessToken: string): Record<string, string> {
  return {
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${accessToken}`,
    'content-type': 'application/json',
    'mcp-protocol-version': '2025-11-25',
    'user-agent': 'node',
  }
}
