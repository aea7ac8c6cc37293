/** Clients that are libraries, each driven by a small application in `programs/`. */
import { join } from 'node:path'
import { root } from '../helpers/sources.ts'
import type { RealClient } from './client.ts'
import type { Stage } from './stage.ts'

/** A driver for one. */
export function createApplication(id: string, name: string): RealClient {
  const path = join(root, 'test', 'real-clients', 'programs', `${id}.mjs`)
  const run = ({ start, url }: Stage, action: string, ...args: string[]): Promise<string> => {
    const application = start(process.execPath, [path, action, url, ...args])
    // To whoever asks whether a browser may be opened.
    application.write('y\n')
    return application.finish()
  }
  return {
    id,
    name,
    login: async (stage) => {
      await run(stage, 'login')
    },
    useTools: (stage, note) => run(stage, 'use', JSON.stringify(note)),
  }
}
