/** The programs that one Gatehouse has started, all of which end with it. */
import { unavailable } from '../errors.ts'
import type { LineProcess, Program } from './line-process.ts'

/** Starts programs. */
export interface Programs {
  /**
   * The program gets its own variables and, of ours, those that any program needs.
   *
   * @throws OAuthError `temporarily_unavailable` once we are stopping
   */
  start(program: Program): Promise<LineProcess>
  /** How many run now. */
  count(): number
  /** Ends all of them; none is started any more. */
  close(): Promise<void>
}

/**
 * Programs on this machine.
 *
 * @param environment variables that every program gets
 */
export function createPrograms(environment: Readonly<Record<string, string>> = {}): Programs {
  const running = new Set<LineProcess>()
  let isClosed = false
  const killAll = () => {
    for (const each of running) each.kill()
  }
  const keep = (started: LineProcess) => {
    // A process that exits in a hurry does not close what it holds.
    if (running.size === 0) process.on('exit', killAll)
    running.add(started)
    void started.ended.then(() => {
      running.delete(started)
      if (running.size === 0) process.off('exit', killAll)
    })
  }
  return {
    async start(program) {
      // Only gateways in front of such programs need what starts them.
      const { startLineProcess } = await import('./line-process.ts')
      if (isClosed) throw unavailable('gate_closing')
      const started = startLineProcess({ ...program, env: { ...environment, ...program.env } })
      keep(started)
      return started
    },
    count: () => running.size,
    async close() {
      isClosed = true
      await Promise.all([...running].map((each) => each.stop()))
    },
  }
}
