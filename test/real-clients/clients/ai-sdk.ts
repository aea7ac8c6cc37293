/** Vercel's AI SDK, whose OAuth is its own: a library, driven by a small application. */
import { createApplication } from '../application.ts'
import type { RealClient } from '../client.ts'

export const client: RealClient = createApplication('ai-sdk', '@ai-sdk/mcp')
