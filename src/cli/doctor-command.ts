import type { Command } from 'commander'

/** Declares `gatehouse doctor`. */
export function addDoctor(program: Command): void {
  program
    .command('doctor <url>')
    .description('visit any MCP server as its clients would, and say why one cannot connect')
    .option('--as <clients>', 'whom to play: chatgpt,claude,… or all (default: the best known)')
    .option('--no-register', 'leave out what needs a registration')
    .option('--json', 'print JSON')
    .option('--timeout <seconds>', 'longest wait for one answer (default: 10)')
    .option('--public-checker', 'refuse addresses that are not public, for a service open to all')
    .action(async (url, options) => (await import('./doctor.ts')).examine(url, options))
}
