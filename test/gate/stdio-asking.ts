/** A client without a session, before a program. */
import { bearer, type GateUnderTest } from './harness.ts'
import { type StdioGateOptions, startStdioGate, toStateless } from './stdio-fixture.ts'

export type Request = Parameters<typeof toStateless>[0]
type Whose = Parameters<GateUnderTest['mint']>[0]

/** A gate, what is said to it, and how many programs it has started. */
export async function start(options: StdioGateOptions = {}) {
  const gate = await startStdioGate(options)
  const token = bearer(await gate.mint())
  const say = (request: Request, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(gate.mcp, {
      ...toStateless(request, { ...token, ...headers }),
      ...(signal && { signal }),
    })
  const sayAs = async (whose: Whose, request: Request) =>
    say(request, bearer(await gate.mint(whose)))
  const started = () =>
    gate.logs.filter(({ message }) => message === 'A program was started').length
  return { gate, say, sayAs, started }
}

/** A call of a tool. */
export const call = (id: unknown, name: string, args: object = {}, meta: object = {}): Request => ({
  id,
  method: 'tools/call',
  params: { name, arguments: args, _meta: meta },
})
