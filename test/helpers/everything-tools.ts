/** The tools of the everything server that answer at once. */
import { setTimeout as delay } from 'node:timers/promises'
import {
  type CallToolResult,
  fromJsonSchema,
  type McpServer,
  type ServerContext,
  type ServerNotifier,
} from '@modelcontextprotocol/server'

/** One red pixel. */
export const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='

/** No sound at all. */
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

/** Between the notifications of one call, so that they arrive one by one. */
const pauseMs = 50

type Content = CallToolResult['content'][number]

/** Adds them; `notify` publishes changes to subscriptions where those are not the server's own. */
export function addTools(server: McpServer, notify: ServerNotifier | undefined): void {
  addContentTools(server)
  addTalkingTools(server)
  addSchemaTools(server)
  addTriggers(server, notify)
}

/** A text as the whole answer of a tool. */
export function toText(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] }
}

function addContentTools(server: McpServer): void {
  const image: Content = { type: 'image', data: png, mimeType: 'image/png' }
  const resource = (uri: string, mimeType: string, text: string): Content => ({
    type: 'resource',
    resource: { uri, mimeType, text },
  })
  const embedded = 'This is an embedded resource content.'
  const answers: Record<string, Content[]> = {
    test_simple_text: [{ type: 'text', text: 'This is a simple text response for testing.' }],
    test_image_content: [image],
    test_audio_content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }],
    test_embedded_resource: [resource('test://embedded-resource', 'text/plain', embedded)],
    test_multiple_content_types: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      resource(
        'test://mixed-content-resource',
        'application/json',
        JSON.stringify({ test: 'data', value: 123 }),
      ),
    ],
  }
  for (const [name, content] of Object.entries(answers))
    server.registerTool(name, { description: 'Always answers the same' }, () => ({ content }))
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
}

function addTalkingTools(server: McpServer): void {
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports how far it is' },
    async (ctx) => {
      for (const progress of [0, 50, 100]) {
        await reportProgress(ctx, progress)
        await delay(pauseMs)
      }
      return toText('Done')
    },
  )
  const logs = ['Tool execution started', 'Tool processing data', 'Tool execution completed']
  for (const name of ['test_tool_with_logging', 'test_logging_tool'])
    server.registerTool(name, { description: 'Logs what it does' }, async (ctx) => {
      for (const line of logs) {
        await ctx.mcpReq.log('info', line)
        await delay(pauseMs)
      }
      return toText('Done')
    })
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its stream and answers on the next' },
    async (ctx) => {
      ctx.http?.closeSSE?.()
      await delay(pauseMs)
      return toText('Answered after the stream was closed')
    },
  )
}

async function reportProgress({ mcpReq }: ServerContext, progress: number): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return
  const params = { progressToken, progress, total: 100 }
  await mcpReq.notify({ method: 'notifications/progress', params })
}

function addSchemaTools(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema of many keywords', inputSchema: fromJsonSchema(richSchema) },
    () => toText('Accepted'),
  )
  const region = { type: 'string', 'x-mcp-header': 'Region' } as const
  server.registerTool(
    'test_header_parameter',
    {
      description: 'Has a parameter that is also a header field',
      inputSchema: fromJsonSchema({ type: 'object', properties: { region } }),
    },
    () => toText('Accepted'),
  )
}

const richSchema: Parameters<typeof fromJsonSchema>[0] = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}

function addTriggers(server: McpServer, notify: ServerNotifier | undefined): void {
  server.registerTool('test_trigger_tool_change', { description: 'Says the tools changed' }, () => {
    if (notify) notify.toolsChanged()
    else server.sendToolListChanged()
    return toText('Said so')
  })
  server.registerTool(
    'test_trigger_prompt_change',
    { description: 'Says the prompts changed' },
    () => {
      if (notify) notify.promptsChanged()
      else server.sendPromptListChanged()
      return toText('Said so')
    },
  )
}
