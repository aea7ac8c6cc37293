/**
 * A language model with one idea: it calls `add_note`, then says which tools it had and what came back. Agents
 * that use tools only for a model get this one; it speaks Anthropic's Messages API as a stream.
 */
import { listen } from '../../src/platform/node-server.ts'
import type { Note } from './client.ts'

/** A model that listens. */
export interface Model {
  /** Base URL without `/v1`. */
  readonly url: string
  close(): Promise<void>
}

/** The part of a request that is read. */
interface Turn {
  readonly stream?: boolean
  readonly tools?: readonly { readonly name: string }[]
  readonly messages: readonly { readonly content: unknown }[]
}

/** Starts it. */
export async function startModel(note: Note): Promise<Model> {
  const server = await listen(
    async (request) => {
      if (!new URL(request.url).pathname.endsWith('/messages')) {
        return new Response(null, { status: 404 })
      }
      return answer((await request.json()) as Turn, note)
    },
    { host: '127.0.0.1', port: 0 },
  )
  return { url: server.url, close: () => server.close(0) }
}

function answer({ tools = [], messages }: Turn, note: Note): Response {
  const tool = tools.find(({ name }) => name.endsWith('add_note'))
  const result = messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .find(({ type }) => type === 'tool_result')
  if (tool && !result) return toStream(toToolUse(tool.name, note), 'tool_use')
  const names = tools.map(({ name }) => name).join(' ')
  return toStream(toText(`Of ${names}: ${JSON.stringify(result?.content)}`), 'end_turn')
}

function toText(text: string): object[] {
  return [
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
  ]
}

function toToolUse(name: string, input: object): object[] {
  const block = { type: 'tool_use', id: 'toolu_1', name, input: {} }
  const json = { type: 'input_json_delta', partial_json: JSON.stringify(input) }
  return [
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta: json },
  ]
}

function toStream(content: object[], reason: string): Response {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'one-idea',
    content: [],
  }
  const events = [
    {
      type: 'message_start',
      message: { ...message, stop_reason: null, stop_sequence: null, usage },
    },
    ...content,
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage },
    { type: 'message_stop' },
  ]
  const lines = events.map(
    (event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`,
  )
  return new Response(lines.join(''), { headers: { 'content-type': 'text/event-stream' } })
}
