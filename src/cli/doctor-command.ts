import type { Command } from 'commander'
import { withServed } from './command-options.ts'

/** Declares `gatehouse doctor`. */
export function addDoctor(program: Command): void {
  const doctor = program
    .command('doctor [url]')
    .description('visit any MCP server as its clients would, and say why one cannot connect')
    .option('--as <clients>', 'whom to play: chatgpt,claude,… or all (default: the best known)')
    .option('--no-register', 'leave out what needs a registration')
    .option('--timeout <seconds>', 'longest wait for one answer (default: 10)')
    .option('--login', 'sign in as one client and try its token, refresh and revocation')
    .option('--wait <seconds>', 'with --login: how long you may take (default: 300)')
    .option('--no-browser', 'with --login: print the address, open nothing')
    .option('--client-id <id>', 'with --login: a client that is known there; none is registered')
    .option('--client-secret-stdin', 'with --client-id: read its secret from standard input')
    .option('--report <file>', 'write the report as one HTML page')
    .option('--public-checker', 'refuse addresses that are not public, for a service open to all')
    .option('--self', 'look at this installation instead: configuration, data, keys, surroundings')
  withServed(doctor).action(async (url, options) => {
    if (options.self === true) return (await import('./doctor-self.ts')).examineSelf(url, options)
    return (await import('./doctor.ts')).examine(url, options)
  })
}
