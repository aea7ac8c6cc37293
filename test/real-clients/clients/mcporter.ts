/** mcporter, a command line on SDK 1.x. */
import { findBin, type RealClient } from '../client.ts'

const mcporter = findBin('mcporter')
const server = (url: string) => ['--http-url', url, '--allow-http', '--name', 'notes']

export const client: RealClient = {
  id: 'mcporter',
  name: 'mcporter',
  // Before that it registers anew for each run, and its refresh token is another client's.
  refreshesSecondsBefore: 60,
  login: async ({ run, url }) => {
    await run(mcporter, ['auth', ...server(url)])
  },
  useTools: async ({ run, url }, note) => {
    const tools = await run(mcporter, ['list', ...server(url), '--json'])
    const call = ['call', 'add_note', ...server(url), '--args', JSON.stringify(note)]
    return tools + (await run(mcporter, call))
  },
}
