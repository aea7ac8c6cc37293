/** mcporter, a command line on SDK 1.x. */
import { findBin, type Note, type RealClient } from '../client.ts'
import type { Stage } from '../stage.ts'

const mcporter = findBin('mcporter')
const server = (url: string) => ['--http-url', url, '--allow-http', '--name', 'notes']

/** Calls the tool alone: `list` gives up where a token is refused, `call` signs in again. */
export function addNote({ run, url }: Stage, note: Note): Promise<string> {
  return run(mcporter, ['call', 'add_note', ...server(url), '--args', JSON.stringify(note)])
}

export const client: RealClient = {
  id: 'mcporter',
  name: 'mcporter',
  // A token that is refused makes it register anew, and its refresh token is another client's.
  refreshesSecondsBefore: 60,
  login: async ({ run, url }) => {
    await run(mcporter, ['auth', ...server(url)])
  },
  useTools: async (stage, note) => {
    const tools = await stage.run(mcporter, ['list', ...server(stage.url), '--json'])
    return tools + (await addNote(stage, note))
  },
}
