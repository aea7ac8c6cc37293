/** The resources and prompts of the everything server. */
import {
  completable,
  inputRequired,
  type McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { png } from './everything-tools.ts'

/** Adds them. */
export function addContent(server: McpServer): void {
  addResources(server)
  addPrompts(server)
}

function addResources(server: McpServer): void {
  const plain = { description: 'A text that never changes', mimeType: 'text/plain' }
  const texts: Record<string, string> = {
    'test://static-text': 'This is the content of the static text resource.',
    'test://watched-resource': 'This resource may be watched.',
    'test://example-resource': 'This resource may be embedded.',
  }
  for (const [uri, text] of Object.entries(texts))
    server.registerResource(uri, uri, plain, () => ({
      contents: [{ uri, mimeType: 'text/plain', text }],
    }))
  const binary = { description: 'An image that never changes', mimeType: 'image/png' }
  server.registerResource('static-binary', 'test://static-binary', binary, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'image/png', blob: png }],
  }))
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'One document for each id', mimeType: 'application/json' },
    ({ href }, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` })
      return { contents: [{ uri: href, mimeType: 'application/json', text }] }
    },
  )
}

const fromUser = <Content>(content: Content) => ({ role: 'user' as const, content })
const text = (words: string) => fromUser({ type: 'text' as const, text: words })

function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Says one thing' }, () => ({
    messages: [text('This is a simple prompt for testing.')],
  }))
  const suggest = (typed: string) =>
    ['paris', 'park', 'party'].filter((word) => word.startsWith(typed))
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Says what it is told',
      argsSchema: z.object({
        arg1: completable(z.string().describe('First test argument'), suggest),
        arg2: z.string().describe('Second test argument'),
      }),
    },
    ({ arg1, arg2 }) => ({
      messages: [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
    }),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Shows an image' }, () => ({
    messages: [
      fromUser({ type: 'image' as const, data: png, mimeType: 'image/png' }),
      text('Please analyze the image above.'),
    ],
  }))
  addPromptsOfResources(server)
}

function addPromptsOfResources(server: McpServer): void {
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Shows a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = {
        uri,
        mimeType: 'text/plain',
        text: 'Embedded resource content for testing.',
      }
      return {
        messages: [
          fromUser({ type: 'resource' as const, resource }),
          text('Please process the embedded resource above.'),
        ],
      }
    },
  )
  const context = z.object({ context: z.string() })
  const ask = inputRequired.elicit({
    message: 'What context should the prompt use?',
    requestedSchema: context,
  })
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks before it says something' },
    ({ mcpReq }) =>
      mcpReq.inputResponses?.user_context === undefined
        ? inputRequired({ inputRequests: { user_context: ask } })
        : { messages: [text('Here is your prompt.')] },
  )
}
