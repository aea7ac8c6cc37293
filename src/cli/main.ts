/**
 * The command line. Commands are declared here and live in a file each, which is loaded when the
 * command runs, so that `--help` and a server's start stay fast.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { withData, withServed } from './command-options.ts'
import { addDoctor } from './doctor-command.ts'
import { exitUsage, findSystemCode, renderFailure } from './failure.ts'
import { printAside } from './output.ts'
import type { DataOptions } from './settings.ts'
import { tunnelNames } from './tunnel-programs.ts'
import { readVersion } from './version.ts'

/** Runs one command and returns the exit code: 0, 1 when it failed, 2 for usage and configuration. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  process.stdout.on('error', endQuietly)
  const program = createProgram()
  let sources: DataOptions = {}
  program.hook('preAction', (_, command) => {
    sources = command.opts<DataOptions>()
  })
  try {
    await program.parseAsync(setIdsApart(args), { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage
    const { text, exitCode } = renderFailure(error, await isDebugAsked(sources))
    printAside(text)
    return exitCode
  }
}

/**
 * Ids and the names of keys are random and may begin with a hyphen. One that would be taken for an option
 * goes to the end, behind `--`, unless it is the value of an option.
 */
function setIdsApart(args: readonly string[]): string[] {
  const isId = (arg: string, at: number): boolean =>
    /^-[\w-]{21,42}$/.test(arg) && !/^--[a-z-]+$/.test(arg) && !args[at - 1]?.startsWith('--')
  if (args[0] === 'serve' || args.includes('--') || !args.some(isId)) return [...args]
  return [...args.filter((arg, at) => !isId(arg, at)), '--', ...args.filter(isId)]
}

/** `gatehouse clients list | head` closes the pipe early, which is no error of ours. */
function endQuietly(error: Error): void {
  if (findSystemCode(error) !== 'EPIPE') throw error
  process.exit(0)
}

async function isDebugAsked({ config, envFile }: DataOptions): Promise<boolean> {
  const { loadConfig } = await import('../operate/config/load.ts')
  const loaded = loadConfig({ file: config, envFile })
  return loaded.ok && loaded.settings.debug
}

function createProgram(): Command {
  const program = new Command('gatehouse')
    .description('OAuth for MCP servers: sign-in, consent and tokens in front of yours')
    .version(readVersion())
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(see --help)')
  addServe(program)
  addDemo(program)
  addDoctor(program)
  addUsers(program)
  addClients(program)
  addGrants(program)
  addLinks(program)
  addKeys(program)
  addConfig(program)
  addStore(program)
  withData(program.command('admin-token'))
    .description("make the owner's admin token, which replaces the one before, and print it once")
    .action(async (options) => (await import('./admin-token.ts')).createAdminToken(options))
  return program
}

function addServe(program: Command): void {
  withData(program.command('serve'))
    .description('protect an MCP server: one that listens, or one that is started here')
    .argument('[command...]', 'behind --: starts a stdio MCP server, such as -- npx -y some-server')
    .passThroughOptions()
    .option('--to <url>', 'the MCP server to protect, such as http://127.0.0.1:3000/mcp')
    .option('--pass-env <name...>', 'variables of ours that the started server gets as well')
    .option('--public-url <url>', 'how clients reach Gatehouse (default: http://localhost:<port>)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on (default: 8787)')
    .option('--drain-seconds <number>', 'after SIGTERM, let balancers look away first (default: 0)')
    .addOption(new Option('--log <format>', 'how log lines look').choices(['json', 'text']))
    .option('--no-sign-in', 'let everyone on this machine in with one click')
    .option('--accept-new-issuer', 'go on although every client must connect again')
    .option('--accept-new-provider', 'go on although an identity provider has another address')
    .addOption(createTunnelOption())
    .action(async (command, options) => (await import('./serve.ts')).serve(options, command))
}

function addDemo(program: Command): void {
  program
    .command('demo')
    .description('serve a small notes server behind Gatehouse, to see it work')
    .option('--port <number>', 'port to listen on', '8787')
    .option('--public-url <url>', 'how clients reach it, when a tunnel leads here')
    .option('--data <dir>', 'data folder', 'demo-data')
    .option('--no-sign-in', 'let everyone on this machine in with one click')
    .addOption(createTunnelOption())
    .action(async (options) => (await import('./demo.ts')).serveDemo(options))
}

function createTunnelOption(): Option {
  const about = 'put it on the internet with a tunnel program that is installed'
  return new Option('--tunnel <program>', about).choices(tunnelNames)
}

function addUsers(program: Command): void {
  const users = program.command('users').description('the people who may sign in')
  withData(users.command('add <email>'))
    .description('add an account; the first one is the owner')
    .option('--password-stdin', 'read the password from standard input')
    .addOption(new Option('--role <role>', 'what they may do').choices(['owner', 'user']))
    .action(async (email, options) => (await import('./users.ts')).addUser(email, options))
  withData(users.command('passwd <email>'))
    .description('change a password and end every session of that user')
    .option('--password-stdin', 'read the password from standard input')
    .option('--end-grants', 'disconnect the apps of that user as well')
    .action(async (email, options) => (await import('./users.ts')).changePassword(email, options))
  withData(users.command('list'))
    .description('list the users')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./users.ts')).listUsers(options))
  withData(users.command('invite <email|login>'))
    .description('let somebody sign in at a provider for the first time')
    .option('--provider <id>', 'at this provider only, such as github; needed for a login')
    .addOption(new Option('--role <role>', 'what they may do').choices(['owner', 'user']))
    .option('--expires <days>', 'for how many days it counts (default: 14)')
    .action(async (name, options) => (await import('./invitations.ts')).inviteUser(name, options))
  withData(users.command('invitations'))
    .description('list who is invited and has not come yet')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./invitations.ts')).listInvited(options))
  withData(users.command('uninvite <email|login>'))
    .description('take an invitation back')
    .option('--provider <id>', 'only the one for this provider')
    .action(async (name, options) => (await import('./invitations.ts')).uninviteUser(name, options))
  withData(users.command('remove <user>'))
    .description('remove a user, by login or id, with all they have allowed')
    .action(async (user, options) => (await import('./users.ts')).removeUser(user, options))
}

function addClients(program: Command): void {
  const clients = program.command('clients').description('the OAuth clients')
  withData(clients.command('list'))
    .description('list the registered clients')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./clients.ts')).listClients(options))
  withData(clients.command('add'))
    .description('register a client by hand and print what to type into it')
    .option('--name <name>', 'what people see on the consent page')
    .option('--redirect-uri <uri>', 'where codes may go; repeatable', collect)
    .option('--public', 'no secret: the client proves itself with PKCE alone')
    .option('--id <id>', 'client id (default: made up)')
    .option('--secret-stdin', 'read the client secret from standard input (default: made up)')
    .addOption(
      new Option('--pkce <rule>', 'optional: for clients that cannot send it, such as GPT Actions')
        .choices(['required', 'optional'])
        .default('required'),
    )
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./clients.ts')).addClient(options))
  withData(clients.command('show <id>'))
    .description('show one client')
    .option('--json', 'print JSON')
    .action(async (id, options) => (await import('./clients.ts')).showClient(id, options))
  withData(clients.command('remove <id>'))
    .description('remove a client and end all its grants')
    .option('--json', 'print JSON')
    .action(async (id, options) => (await import('./clients.ts')).removeClientById(id, options))
  withData(clients.command('reap'))
    .description('remove clients and Auth0 applications that lost each other')
    .option('--dry-run', 'only show them')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./clients-reap.ts')).reapClients(options))
}

function addGrants(program: Command): void {
  const grants = program.command('grants').description('what users have allowed clients')
  withData(grants.command('list'))
    .description('list the grants')
    .option('--user <user>', 'only those of this user, by login or id')
    .option('--client <id>', 'only those of this client')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./grants.ts')).listGrants(options))
  withData(grants.command('revoke <id...>'))
    .description('end grants: the clients must ask again')
    .action(async (ids, options) => (await import('./grants.ts')).revokeGrants(ids, options))
}

function addLinks(program: Command): void {
  const links = program
    .command('links')
    .description('what identity providers gave for people: their tokens')
  withData(links.command('list'))
    .description('say whose tokens are kept, and what for')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./links.ts')).listLinks(options))
  withData(links.command('remove'))
    .description('forget the tokens of a provider, and have them revoked there')
    .option('--provider <id>', 'the provider, such as github')
    .action(async (options) => (await import('./links.ts')).removeLinks(options))
}

function addKeys(program: Command): void {
  const keys = program.command('keys').description('the keys that sign tokens and seal the store')
  withData(keys.command('list'))
    .description('list signing keys and data keys, and how far re-sealing has come')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./keys.ts')).listAllKeys(options))
  withData(keys.command('rotate'))
    .description('make the next signing key, which signs in eleven minutes')
    .option('--now', 'sign with it in ten seconds')
    .option('--data-key', 'make the next data key instead; stored values follow by themselves')
    .action(async (options) => (await import('./keys.ts')).rotateKeys(options))
  withData(keys.command('revoke <kid>'))
    .description('remove a signing key that leaked, at once, with every token it signed')
    .action(async (kid, options) => (await import('./keys.ts')).revokeSigningKey(kid, options))
}

function addConfig(program: Command): void {
  const config = program.command('config').description('what is configured')
  withServed(config.command('show'))
    .description('print every value in force and where it comes from; secrets are masked')
    .action(async (options) => (await import('./config.ts')).showConfig(options))
  withServed(config.command('check'))
    .description('say what is wrong, with exit code 2, and what may be')
    .action(async (options) => (await import('./config.ts')).checkConfig(options))
}

function addStore(program: Command): void {
  const store = program.command('store').description('where the data is kept')
  withData(store.command('status'))
    .description('tell what the store is, whether it can be used, and what it holds')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./store.ts')).showStatus(options))
  withData(store.command('migrate'))
    .description('bring the store to the newest schema, as every start does')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./store.ts')).migrateStore(options))
  withData(store.command('copy'))
    .description('copy everything to another store; run it again to go on or to bring what changed')
    .option('--from <url>', 'the store to copy, or env:NAME (default: the one in use)')
    .requiredOption(
      '--to <url>',
      'the store to fill: postgres://…, redis://…, sqlite:PATH or env:NAME',
    )
    .option('--from-prefix <prefix>', 'prefix of the store to copy (default: gatehouse)')
    .option('--to-prefix <prefix>', 'prefix of the store to fill (default: gatehouse)')
    .option('--merge', 'add to a store that is not empty')
    .option('--accept-weak-durability', 'fill a Redis that may forget what it acknowledged')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./store-copy.ts')).copyStore(options))
  withData(store.command('verify'))
    .description('read every entry and tell what is damaged; changes nothing')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./store-verify.ts')).verifyStore(options))
  withData(store.command('backup'))
    .description('write the SQLite store to a new file while servers use it')
    .requiredOption('--to <file>', 'the file to make')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./store-backup.ts')).backupStore(options))
}

/** One more value of a repeatable option. */
function collect(value: string, before: string[] = []): string[] {
  if (value === '') throw new InvalidArgumentError('It must not be empty.')
  return [...before, value]
}
