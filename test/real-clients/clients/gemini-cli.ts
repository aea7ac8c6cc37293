/** Gemini CLI, whose OAuth is its own: its core, driven by a small application. */
import { createApplication } from '../application.ts'
import type { RealClient } from '../client.ts'

export const client: RealClient = {
  ...createApplication('gemini-cli', '@google/gemini-cli-core'),
  refreshesSecondsBefore: 300,
}
