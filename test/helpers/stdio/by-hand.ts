/**
 * An MCP server over standard input and output, by hand: what its tools do is what tests want to see. Its
 * variables say what it is: `ERA` (`both`, `legacy`, `modern`, `silent`, or `strict`, which ends when it is asked),
 * `GREETING` on standard output, `STUBBORN` to stay when it is asked to go, `CHILD` to start a program of its
 * own, which is `stubborn` or not, `FAIL` to end at once.
 */
import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { createInterface } from 'node:readline'

type Id = string | number
interface Received {
  id?: Id
  method?: string
  params?: { name?: string; arguments?: Record<string, unknown>; _meta?: Record<string, unknown> }
  result?: unknown
}

const { ERA = 'both', GREETING, STUBBORN, CHILD, FAIL } = process.env
const prefix = 'io.modelcontextprotocol/'
const received: Received[] = []
/** Tool calls that wait for something else to happen, by what they wait for. */
const waiting = new Map<string, Id>()
const subscribed = new Set<Id>()

const send = (message: object) =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const answer = (id: Id, value: unknown) =>
  send({ id, result: { content: [{ type: 'text', text: JSON.stringify(value) }] } })
const fail = (id: Id, code: number, message: string) => send({ id, error: { code, message } })
const notify = (method: string, params: object) => send({ method, params })

const tools: Record<string, (id: Id, message: Received) => void> = {
  env: (id) => answer(id, process.env),
  cwd: (id) => answer(id, process.cwd()),
  pid: (id) => answer(id, process.pid),
  echo: (id, { params }) => answer(id, params?.arguments),
  seen: (id) => answer(id, received),
  crash: () => {
    process.stderr.write('out of luck\n')
    process.exit(3)
  },
  hang: (id, { params }) => void waiting.set(String(params?.arguments?.['until']), id),
  'log-and-hang': (id, message) => {
    notify('notifications/message', { level: 'info', data: 'begun' })
    tools['hang']?.(id, message)
  },
  release: (id, { params }) => {
    const what = String(params?.arguments?.['until'])
    const held = waiting.get(what)
    if (held !== undefined) answer(held, `released ${what}`)
    answer(id, held !== undefined)
  },
  progress: (id, { params }) => {
    const progressToken = params?._meta?.['progressToken']
    for (const progress of [1, 2]) notify('notifications/progress', { progressToken, progress })
    answer(id, 'done')
  },
  log: (id) => {
    notify('notifications/message', { level: 'info', data: 'a line' })
    answer(id, 'logged')
  },
  sample: (id) => {
    waiting.set('s1', id)
    send({ id: 's1', method: 'sampling/createMessage', params: {} })
  },
  big: (id, { params }) => answer(id, 'x'.repeat(Number(params?.arguments?.['length']))),
  endless: () => void process.stdout.write('x'.repeat(17 * 1024 * 1024)),
  later: (id, { params }) => {
    setTimeout(() => answer(id, 'at last'), Number(params?.arguments?.['milliseconds']))
  },
  mute: () => closeSync(1),
  publish: (id) => {
    for (const each of subscribed)
      notify('notifications/tools/list_changed', { _meta: { [`${prefix}subscriptionId`]: each } })
    answer(id, subscribed.size)
  },
  unsubscribe: (id) => {
    for (const each of subscribed) notify('notifications/cancelled', { requestId: each })
    subscribed.clear()
    answer(id, true)
  },
}

const methods: Record<string, (id: Id, message: Received) => void> = {
  initialize: (id) => {
    if (ERA === 'modern') return fail(id, -32_601, 'Method not found: initialize')
    const serverInfo = { name: 'by-hand', version: '1' }
    send({ id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo } })
  },
  'server/discover': (id) => {
    if (ERA === 'silent') return
    if (ERA === 'strict') process.exit(1)
    if (ERA === 'legacy') return fail(id, -32_601, 'Method not found: server/discover')
    const supportedVersions = ['2026-07-28']
    send({ id, result: { resultType: 'complete', supportedVersions, capabilities: { tools: {} } } })
  },
  'tools/list': (id) => {
    const repeated = {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
    }
    const list = Object.keys(tools).map((name) => ({
      name,
      inputSchema: { type: 'object', ...(name === 'echo' && { properties: repeated }) },
    }))
    send({ id, result: { tools: list } })
  },
  'tools/call': (id, message) => {
    const tool = tools[message.params?.name ?? '']
    if (tool) tool(id, message)
    else fail(id, -32_602, 'Unknown tool')
  },
  'subscriptions/listen': (id) => {
    subscribed.add(id)
    const _meta = { [`${prefix}subscriptionId`]: id }
    notify('notifications/subscriptions/acknowledged', { _meta, notifications: {} })
  },
}

function take(message: Received): void {
  received.push(message)
  const { id, method } = message
  const sampled = id !== undefined && method === undefined ? waiting.get(String(id)) : undefined
  if (sampled !== undefined) answer(sampled, message.result)
  if (id === undefined || method === undefined) return
  const serve = methods[method]
  if (serve) serve(id, message)
  else fail(id, -32_601, `Method not found: ${method}`)
}

if (FAIL) {
  process.stderr.write(`cannot go on: ${FAIL}\n`)
  process.exit(1)
}
if (CHILD) {
  const isStubborn = CHILD === 'stubborn'
  const script = `${isStubborn ? 'process.on("SIGTERM", () => {});' : ''} setInterval(() => {}, 1000)`
  const stdio = isStubborn ? 'ignore' : 'inherit'
  const child = spawn(process.execPath, ['-e', script], { stdio })
  process.stderr.write(`child ${child.pid}\n`)
}
if (GREETING) process.stdout.write(`${GREETING}\n`)
if (STUBBORN) {
  process.on('SIGTERM', () => process.stderr.write('no\n'))
  setInterval(() => {}, 1000)
}
process.stderr.write(`ready ${process.pid}\n`)
createInterface({ input: process.stdin }).on('line', (line) => take(JSON.parse(line)))
