/** OpenAI's Agents SDK, on SDK 2.x: a library, driven by a small application. */
import { createApplication } from '../application.ts'
import type { RealClient } from '../client.ts'

export const client: RealClient = createApplication('openai-agents', '@openai/agents')
