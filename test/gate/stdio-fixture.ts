/** A gate in front of a program, and what a client says to it by hand. */
import { fileURLToPath } from 'node:url'
import { onTestFinished, vi } from 'vitest'
import { createEventReader } from '../../src/gate/backends/legacy/events.ts'
import type { Policy } from '../../src/oauth/policy.ts'
import type { StdioProgram } from '../../src/stdio-program.ts'
import { bearer, type GateOptions, type GateUnderTest, post, startGate } from './harness.ts'

/** The program that answers as tests want it. */
export const byHand = fileURLToPath(new URL('../helpers/stdio/by-hand.ts', import.meta.url))

/** What a gate in front of a program is made of. */
export interface StdioGateOptions extends Omit<GateOptions, 'to' | 'backend'> {
  readonly program?: Partial<StdioProgram>
  readonly ssePath?: string
  readonly policy?: Policy
}

/** A gate, and its program; it ends with the running test, or before. */
export async function startStdioGate(options: StdioGateOptions = {}): Promise<GateUnderTest> {
  const { program, ssePath, policy, ...others } = options
  const gate = await startGate({
    ...others,
    backend: {
      program: {
        command: process.execPath,
        args: [byHand],
        env: {},
        maxProcesses: 100,
        maxProcessesPerUser: 16,
        idleSeconds: 600,
        ...program,
      },
      ...(ssePath !== undefined && { ssePath }),
      ...(policy && { policy }),
    },
  })
  let closing: Promise<void> | undefined
  const close = () => (closing ??= gate.close())
  onTestFinished(() => {
    vi.useRealTimers()
    return close()
  })
  return { ...gate, close }
}

export interface Spoken {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: { readonly content?: readonly { readonly text: string }[] } & Record<
    string,
    unknown
  >
  readonly error?: { readonly code: number; readonly message: string }
}

/** The messages of an answer, one by one, whether it is JSON or a stream; undefined at its end. */
export function readMessages(response: Response) {
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  const whole = isJson ? [response.json()] : undefined
  const reader = isJson ? undefined : response.body?.getReader()
  const read = createEventReader()
  const events: ReturnType<typeof read> = []
  return {
    async next(): Promise<Spoken | undefined> {
      if (whole) return whole.shift()
      while (events.length === 0) {
        const { done, value } = (await reader?.read()) ?? { done: true }
        if (done || !value) return undefined
        events.push(...read(value))
      }
      return JSON.parse(events.shift()?.data ?? '')
    },
    leave: () => reader?.cancel(),
  }
}

/** The message that answers a POST. */
export async function readAnswer(response: Response): Promise<Spoken> {
  const messages = readMessages(response)
  for (;;) {
    const message = await messages.next()
    if (message === undefined) throw new Error(`No answer in ${response.status}`)
    if (message.method === undefined) return message
  }
}

/** What a tool of the program answered. */
export async function readResult(response: Response): Promise<unknown> {
  const { result, error } = await readAnswer(response)
  if (error) throw new Error(error.message)
  return JSON.parse(result?.content?.[0]?.text ?? 'null')
}

const accept = 'application/json, text/event-stream'

/** A call of a tool. */
export const toolCall = (id: unknown, name: string, args: object = {}, meta?: object) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args, ...(meta && { _meta: meta }) },
})

/** A client with a session. */
export async function openSession(
  gate: GateUnderTest,
  as: Parameters<GateUnderTest['mint']>[0] = {},
) {
  const token = bearer(await gate.mint(as))
  const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }
  const began = await fetch(gate.mcp, post(initialize, { ...token, accept }))
  const { status } = began
  const id = began.headers.get('mcp-session-id') ?? ''
  const answer = await readMessages(began).next()
  const headers = { ...token, accept, 'mcp-session-id': id }
  const say = (message: object | object[]) => fetch(gate.mcp, post(message, headers))
  let next = 1
  return {
    status,
    /** Fields of the answer to `initialize`, and that answer. */
    given: began.headers,
    answer,
    id,
    headers,
    say,
    call: async (name: string, args: object = {}) =>
      readResult(await say(toolCall(next++, name, args))),
  }
}

const metaPrefix = 'io.modelcontextprotocol/'

/** A request without a session, as MCP 2026-07-28 has it. */
export function toStateless(
  { params = {}, ...message }: { id: unknown; method: string; params?: Record<string, unknown> },
  headers: Record<string, string> = {},
): RequestInit {
  const meta = {
    [`${metaPrefix}protocolVersion`]: '2026-07-28',
    [`${metaPrefix}clientCapabilities`]: {},
    ...(params['_meta'] as object),
  }
  const name = params['name'] ?? params['uri']
  return post(
    { jsonrpc: '2.0', ...message, params: { ...params, _meta: meta } },
    {
      accept,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': message.method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
      ...headers,
    },
  )
}

/** Whether a process of this id is there. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The fields of the log lines that begin so. */
export const findLog = ({ logs }: GateUnderTest, message: string) =>
  logs.filter((line) => line.message.startsWith(message)).map(({ fields }) => fields)
