/** Whether a backend answers, asked once at the start so that a wrong `--to` is not found out by a client. */
import type { Backend } from '../context.ts'

/** Longest wait for an answer, in milliseconds. */
const patienceMs = 3000

/** What an MCP server of any revision answers with something of its own, and which changes nothing. */
const question = { jsonrpc: '2.0', id: 1, method: 'ping' }

/**
 * What is wrong with a backend, in words for its owner; undefined when it answers like an MCP server.
 *
 * Any answer but 404 counts: a server may want a session, a key or another revision first.
 */
export async function findBackendProblem(backend: Backend): Promise<string | undefined> {
  const { to, transport } = backend
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
