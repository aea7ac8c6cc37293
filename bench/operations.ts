/**
 * What is measured, and for each operation the servers that do it. The first of them is always the bare
 * one, which answers the same requests with bodies of the same size and does nothing else.
 */
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Client,
  createClient,
  type Jar,
  type Message,
  type Send,
  type Tokens,
} from './client.ts'
import type { Operate } from './load.ts'
import { type MeasuredServer, startServer } from './server-process.ts'
import { type FixedAnswer, lanes, type ServerSpec } from './servers/protocol.ts'

/** A server ready for the load. */
export interface Contender {
  readonly name: string
  readonly server: MeasuredServer
  readonly operate: Operate
  /** A sample of it has so many times the usual operations: what is cheap needs more to be measured well. */
  readonly weight: number
}

/** Starts servers and remembers them, so that all of them can be stopped. */
export interface Workshop {
  start(spec: ServerSpec): Promise<MeasuredServer>
  /** Over SQLite in a folder of its own. */
  startOnDisk(backend: string): Promise<MeasuredServer>
  stopAll(): Promise<void>
}

/** One thing a server does. */
export interface Operation {
  readonly name: string
  /** What one operation is, for the report. */
  readonly about: string
  /** Operations per sample. */
  readonly count: number
  prepare(workshop: Workshop): Promise<Contender[]>
}

/** Names as the report shows them. */
export const names = {
  bare: 'bare node:http',
  onDisk: 'Gatehouse, SQLite on disk',
  inMemory: 'Gatehouse, in memory',
  peer: 'oidc-provider, in memory',
  httpPipe: 'node:http pipe',
  undiciPipe: 'undici only',
} as const

/** The bare server is the base of every ratio. */
const bareWeight = 4

/** A workshop whose data folders are below `folder`. */
export function createWorkshop(folder: string): Workshop {
  const servers: MeasuredServer[] = []
  const start = async (spec: ServerSpec): Promise<MeasuredServer> => {
    const server = await startServer(spec)
    servers.push(server)
    return server
  }
  return {
    start,
    startOnDisk: async (backend) =>
      start({ kind: 'gatehouse', folder: await mkdtemp(join(folder, 'data-')), backend }),
    async stopAll() {
      await Promise.all(servers.splice(0).map((server) => server.stop()))
    },
  }
}

/** Everything that is measured, in the order of the report. */
export const operations: readonly Operation[] = [
  {
    name: 'refresh',
    about: 'POST /token, grant_type=refresh_token: a rotation and a new access token',
    count: 320,
    prepare: (workshop) => prepareIssuers(workshop, toRefresh),
  },
  {
    name: 'authorize',
    about: 'GET /authorize to tokens, person signed in, consent page shown and allowed',
    count: 96,
    prepare: (workshop) => prepareIssuers(workshop, toAuthorize),
  },
  {
    name: 'register',
    about: 'POST /register: a dynamic registration',
    count: 320,
    prepare: (workshop) => prepareIssuers(workshop, toRegister),
  },
  {
    name: 'proxy',
    about: 'POST /mcp through the gate: 200 bytes in, 600 bytes of JSON out',
    count: 800,
    prepare: prepareProxies,
  },
]

/** A person in a browser who wants something through a client. */
interface Lane {
  readonly clientId: string
  jar: Jar
  tokens: Tokens
}

type ToOperate = (client: Client, lanes: readonly Lane[]) => Operate

const toRegister: ToOperate = (client) => async () => {
  await client.register()
}

const toAuthorize: ToOperate = (client, people) => async (lane) => {
  const person = findLane(people, lane)
  const { jar } = await client.authorize(person.clientId, person.jar)
  person.jar = jar
}

const toRefresh: ToOperate = (client, people) => async (lane) => {
  const person = findLane(people, lane)
  person.tokens = await client.refresh(person.tokens)
}

/** Nobody listens there: the operations of the authorization server never reach the backend. */
const noBackend = 'http://127.0.0.1:9/mcp'

async function prepareIssuers(workshop: Workshop, toOperate: ToOperate): Promise<Contender[]> {
  const onDisk = await workshop.startOnDisk(noBackend)
  const inMemory = await workshop.start({ kind: 'gatehouse', backend: noBackend })
  const exchanges = await record(inMemory, toOperate)
  const page = exchanges.find(({ answer }) => answer.type.startsWith('text/html'))
  const pageBytes = page?.answer.bytes ?? 1000
  const peer = await workshop.start({ kind: 'oidc-provider', pageBytes })
  const prepare = async (name: string, server: MeasuredServer): Promise<Contender> => {
    const client = createClient(server.send, server.origin)
    const operate = toOperate(client, await openLanes(client, server))
    return { name, server, operate, weight: 1 }
  }
  return [
    await prepareBare(workshop, exchanges),
    await prepare(names.onDisk, onDisk),
    await prepare(names.inMemory, inMemory),
    await prepare(names.peer, peer),
  ]
}

async function openLanes(client: Client, server: MeasuredServer): Promise<Lane[]> {
  const opened: Lane[] = []
  for (let n = 0; n < lanes; n += 1) {
    const clientId = await client.register()
    const { tokens, jar } = await client.authorize(clientId, toJar(server.sessions[n]))
    opened.push({ clientId, jar, tokens })
  }
  return opened
}

function toJar(cookie: string | undefined): Jar {
  const [name, value] = cookie?.split('=') ?? []
  return new Map(name !== undefined && value !== undefined ? [[name, value]] : [])
}

function findLane(people: readonly Lane[], lane: number): Lane {
  const person = people[lane]
  if (!person) throw new RangeError(`There is no lane ${lane}`)
  return person
}

/** A request and the shape of its answer. */
interface RecordedExchange {
  readonly message: Message
  readonly answer: FixedAnswer
}

/** What travels in one operation, as one that runs for real shows it. */
async function record(server: MeasuredServer, toOperate: ToOperate): Promise<RecordedExchange[]> {
  let exchanges: RecordedExchange[] = []
  const send: Send = async (message) => {
    const reply = await server.send(message)
    const { status, type, body } = reply
    exchanges.push({ message, answer: { status, type, bytes: Buffer.byteLength(body) } })
    return reply
  }
  const client = createClient(send, server.origin)
  const operate = toOperate(client, await openLanes(client, server))
  exchanges = []
  await operate(0)
  return exchanges
}

async function prepareBare(
  workshop: Workshop,
  exchanges: readonly RecordedExchange[],
): Promise<Contender> {
  const answers = exchanges.map(({ answer }) => answer)
  const server = await workshop.start({ kind: 'bare', answers })
  const messages = exchanges.map(({ message }, n) => ({ ...message, path: `/${n}` }))
  const operate = async () => {
    for (const message of messages) await server.send(message)
  }
  return { name: names.bare, server, operate, weight: bareWeight }
}

/** A small tool call of 200 bytes and its answer. */
const toolCall = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'search', arguments: { text: 'x'.repeat(103) } },
})
const toolAnswer: FixedAnswer = { status: 200, type: 'application/json', bytes: 600 }

async function prepareProxies(workshop: Workshop): Promise<Contender[]> {
  const upstream = await workshop.start({ kind: 'bare', answers: [toolAnswer] })
  const backend = `${upstream.origin}/0`
  const bare = await workshop.start({ kind: 'bare', answers: [toolAnswer] })
  const httpPipe = await workshop.start({ kind: 'http-pipe', backend })
  const undiciPipe = await workshop.start({ kind: 'undici-pipe', backend })
  const onDisk = await workshop.startOnDisk(backend)
  const people = await openLanes(createClient(onDisk.send, onDisk.origin), onDisk)
  const call = (server: MeasuredServer, path: string): Operate => {
    return async (lane) => {
      const headers = toToolHeaders(findLane(people, lane).tokens)
      const reply = await server.send({ method: 'POST', path, headers, body: toolCall })
      if (reply.status !== 200) throw new Error(`Answered ${reply.status}: ${reply.body}`)
    }
  }
  return [
    { name: names.bare, server: bare, operate: call(bare, '/0'), weight: bareWeight },
    { name: names.httpPipe, server: httpPipe, operate: call(httpPipe, '/0'), weight: 1 },
    { name: names.undiciPipe, server: undiciPipe, operate: call(undiciPipe, '/0'), weight: 1 },
    { name: names.onDisk, server: onDisk, operate: call(onDisk, '/mcp'), weight: 1 },
  ]
}

/** What the official clients send with a call; the bearer goes everywhere, so that all read the same. */
function toToolHeaders({ accessToken }: Tokens): Record<string, string> {
  return {
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${accessToken}`,
    'content-type': 'application/json',
    'mcp-protocol-version': '2025-11-25',
    'user-agent': 'node',
  }
}
