/** Whether a backend answers, asked once at the start so that a wrong `--to` is not found out by a client. */
import type { Backend } from '../context.ts'
import { tellsOfCallers } from '../identity/caller-facts.ts'
import type { LineProcess, ProgramEnd } from '../platform/line-process.ts'
import { createLastWords, describeFailure, type LastWords } from '../platform/program-words.ts'
import type { Programs } from '../platform/programs.ts'
import type { StdioProgram } from '../stdio-program.ts'

/** Longest wait for an answer, in milliseconds; for a program longer, which may have to be installed first. */
const patienceMs = 3000
const programPatienceMs = 60_000

/** What an MCP server of any revision answers with something of its own, and which changes nothing. */
const question = { jsonrpc: '2.0', id: 1, method: 'ping' }

/**
 * What is wrong with a backend, in words for its owner; undefined when it answers like an MCP server.
 *
 * Any answer but 404 counts: a server may want a session, a key or another revision first.
 */
export async function findBackendProblem(
  backend: Backend,
  programs: Programs,
): Promise<string | undefined> {
  const { to, transport, program } = backend
  if (program) return findProgramProblem(program, programs)
  if (to === undefined) return undefined
  try {
    const response = await fetch(to, {
      ...(transport === 'sse' ? toStreamRequest(backend) : toQuestion(backend)),
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
    })
    await response.body?.cancel()
    if (response.headers.get('www-authenticate')?.includes('resource_metadata')) {
      return `${to.href} asks for OAuth itself: give the address of the MCP server without it`
    }
    if (response.status !== 404) return undefined
    if (transport !== 'sse' && (await speaksOldTransport(backend, to))) {
      return `${to.href} speaks the old HTTP+SSE transport: set transport: sse for this backend`
    }
    return `${to.href} answers, but has nothing at this path: check it, MCP servers often listen at /mcp`
  } catch {
    return `${to.href} does not answer: start your MCP server, or check the address`
  }
}

function toQuestion({ headers }: Backend): RequestInit {
  const json = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
  return { method: 'POST', headers: { ...headers, ...json }, body: JSON.stringify(question) }
}

/** A server of HTTP+SSE takes messages elsewhere, and says where on its stream. */
function toStreamRequest({ headers }: Backend): RequestInit {
  return { headers: { ...headers, accept: 'text/event-stream' } }
}

/** A server of the old transport knows no POST at its own address, and opens a stream on GET. */
async function speaksOldTransport(backend: Backend, to: URL): Promise<boolean> {
  const signal = AbortSignal.timeout(patienceMs)
  const response = await fetch(to, { ...toStreamRequest(backend), redirect: 'manual', signal })
  await response.body?.cancel()
  return response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
}

/** A program and its arguments, as a person would type them. */
export function renderProgram({ command, args }: Pick<StdioProgram, 'command' | 'args'>): string {
  const words = [command, ...args].map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`,
  )
  return words.join(' ')
}

/** What the oldest revision in use begins with; every server of a later one knows it as well. */
const beginning = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'gatehouse', version: '1' },
  },
}

/** Starts a program once, asks it something, and ends it. What is started for a caller alone is not tried. */
async function findProgramProblem(
  program: StdioProgram,
  programs: Programs,
): Promise<string | undefined> {
  const { command, args, cwd, env } = program
  if (tellsOfCallers(env)) return undefined
  const name = renderProgram(program)
  const said = createLastWords()
  const variables = Object.entries(env).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string'
  })
  const running = await programs.start({
    command,
    args,
    cwd,
    env: Object.fromEntries(variables),
    onNote: said.hear,
  })
  const late = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => late.resolve('late'), programPatienceMs)
  running.write(JSON.stringify(beginning))
  const outcome = await Promise.race([hasAnswered(running, said), running.ended, late.promise])
  clearTimeout(timer)
  await running.stop()
  if (outcome === 'answered') return undefined
  if (outcome === 'late') {
    const what = 'it must speak MCP over standard input and output'
    return `${name} has not answered for ${programPatienceMs / 1000} s: ${what}${quote(said)}`
  }
  // Whoever stops us is not told that this stopped, too.
  return outcome.isStopped ? undefined : toEndSentence(program, outcome) + quote(said)
}

/** Anything that looks like an answer counts; many servers greet first, and others say how they are to be used. */
async function hasAnswered(
  { lines, ended }: LineProcess,
  said: LastWords,
): Promise<'answered' | ProgramEnd> {
  for await (const line of lines) {
    if (line.includes('"jsonrpc"')) return 'answered'
    said.hear(line)
  }
  return ended
}

function toEndSentence(program: StdioProgram, { failure, exitCode, signal }: ProgramEnd): string {
  const name = renderProgram(program)
  if (failure !== undefined)
    return `${name} cannot be started: ${describeFailure(failure, program.command)}`
  const how = signal === undefined ? `exit code ${exitCode ?? 'unknown'}` : signal
  return `${name} ended with ${how} before it answered`
}

function quote(said: LastWords): string {
  const last = said.list()
  return last.length > 0 ? [', and said:', ...last].join('\n    ') : ''
}
