/** The server that has everything the conformance package asks for, whatever it is reached by. */
import {
  createRequestStateCodec,
  McpServer,
  type ServerNotifier,
} from '@modelcontextprotocol/server'
import { addContent } from './everything-content.ts'
import { addQuestions, type StateCodec } from './everything-questions.ts'
import { addTools } from './everything-tools.ts'

/** What instances without a session hand to each other through their client. */
export function createState(): StateCodec {
  return createRequestStateCodec({ key: 'a key for tests, 32 bytes or longer' })
}

/** What an instance serves: one request in the modern era, one session before, all of a program. */
export interface EverythingOptions {
  readonly state: StateCodec
  /** Publishes changes, where that is not the server's own affair. */
  readonly notify?: ServerNotifier | undefined
  /** Whether `resources/subscribe` is there, which the modern era has not. */
  readonly isLegacy: boolean
}

/** One instance. */
export function createEverything({ state, notify, isLegacy }: EverythingOptions): McpServer {
  const server = new McpServer(
    { name: 'everything', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: state.verify },
    },
  )
  addTools(server, notify)
  addQuestions(server, state)
  addContent(server)
  if (isLegacy) {
    server.server.setRequestHandler('resources/subscribe', () => ({}))
    server.server.setRequestHandler('resources/unsubscribe', () => ({}))
  }
  return server
}
