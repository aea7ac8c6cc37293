/** The page of commands, from what `--help` really prints. */

/** Runs the command line with arguments and returns what it printed. */
type RunCli = (args: readonly string[]) => string

/** Names of the subcommands in a help text. */
function findCommands(help: string): string[] {
  const list = help.split(/^Commands:\n/m)[1] ?? ''
  const names = [...list.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)].map(([, name = '']) => name)
  return names.filter((name) => name !== 'help')
}

function renderCommand(runCli: RunCli, path: readonly string[]): string[] {
  const help = runCli([...path, '--help']).trim()
  const title = ['gatehouse', ...path].join(' ')
  const page = `## ${title}\n\n\`\`\`text\n${help}\n\`\`\`\n`
  return [page, ...findCommands(help).flatMap((name) => renderCommand(runCli, [...path, name]))]
}

/** `docs/reference/command-line.md`. */
export function renderCommandLine(runCli: RunCli): string {
  const intro =
    'Made from the real `--help` by `npm run docs`. From a checkout: `npm run gatehouse -- <command>`.'
  return ['# Command line', '', intro, '', ...renderCommand(runCli, [])].join('\n')
}
