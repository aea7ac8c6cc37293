/** A backend that is a program, as it is configured. */
import type { CallerVariables } from './identity/caller-facts.ts'

/** An MCP server that we start and speak to over its standard input and output. */
export interface StdioProgram {
  /** A name that is looked up in PATH, or a path. Run without a shell. */
  readonly command: string
  readonly args: readonly string[]
  /** Its variables. Of our own it gets those that any program needs, and none of our settings. */
  readonly env: CallerVariables
  /** Its working directory. Default: ours. */
  readonly cwd?: string
  /** Most programs at a time. Default 100. */
  readonly maxProcesses: number
  /** Most programs of one user at a time. Default 16. */
  readonly maxProcessesPerUser: number
  /** How long a program stays that nobody uses. Default 600. */
  readonly idleSeconds: number
}
