/** Options that several commands have. */
import type { Command } from 'commander'

/** The options of every command that works on a store. */
export function withData(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file, YAML or JSON')
    .option('--env-file <file>', 'file of environment variables; those of the process win')
    .option('--data <dir>', 'data folder (default: gatehouse-data)')
    .option(
      '--store <url>',
      'postgres://…, redis://…, sqlite:PATH, memory: (default: in the data folder)',
    )
}

/** The options of commands that look at what `serve` would serve. */
export function withServed(command: Command): Command {
  return withData(command)
    .option('--to <url>', 'as for serve')
    .option('--public-url <url>', 'as for serve')
    .option('--host <address>', 'as for serve')
    .option('--port <number>', 'as for serve')
    .option('--json', 'print JSON')
}
