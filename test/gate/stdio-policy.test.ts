/** Scopes for each tool of a program, whichever way its clients come (A6, X10). */
import { describe, expect, it } from 'vitest'
import { bearer, post } from './harness.ts'
import {
  openSession,
  readAnswer,
  readMessages,
  readResult,
  type StdioGateOptions,
  startStdioGate,
  toolCall,
  toStateless,
} from './stdio-fixture.ts'

const policy = {
  rules: [
    { tool: 'crash', deny: true as const },
    { tool: 'env', scopes: ['write'] },
  ],
}

const start = (options: StdioGateOptions = { policy }) => startStdioGate(options)

const readOnly = { scope: 'read' }

describe('a tool that needs a scope', () => {
  it('is refused in a session, and the program never hears of it', async () => {
    const gate = await start()
    const session = await openSession(gate, readOnly)
    const refused = await session.say(toolCall(1, 'env'))
    expect(refused.status).toBe(403)
    expect(refused.headers.get('www-authenticate')).toContain('insufficient_scope')
    expect((await session.say(toolCall(2, 'crash'))).status).toBe(403)
    expect(await session.call('seen')).toHaveLength(2)
    expect(await (await openSession(gate)).call('env')).toBeTypeOf('object')
  })

  it('is refused without a session, by its body whatever its fields say (RS-15)', async () => {
    const gate = await start()
    const token = bearer(await gate.mint(readOnly))
    const request = { id: 1, method: 'tools/call', params: { name: 'env', arguments: {} } }
    expect((await fetch(gate.mcp, toStateless(request, token))).status).toBe(403)
    const disguised = toStateless(request, { ...token, 'mcp-name': 'pid' })
    expect((await fetch(gate.mcp, disguised)).status).toBe(400)
    const allowed = { ...request, params: { name: 'pid', arguments: {} } }
    expect(await readResult(await fetch(gate.mcp, toStateless(allowed, token)))).toBeTypeOf(
      'number',
    )
  })

  it('is refused to a client of HTTP+SSE', async () => {
    const gate = await start({ policy, ssePath: '/mcp/sse' })
    const token = bearer(await gate.mint(readOnly))
    const stream = await fetch(`${gate.url}/mcp/sse`, { headers: token })
    const { value } = (await stream.body?.getReader().read()) ?? {}
    const text = new TextDecoder().decode(value)
    const address = /data: (\S+messages\S+)/.exec(text)?.[1]
    if (address === undefined) throw new Error(`No address in ${text}`)
    const said = await fetch(gate.url + address, post(toolCall(1, 'env'), token))
    expect(said.status).toBe(403)
  })

  it('is announced by tools/list, in a session and without one', async () => {
    const gate = await start({ policy: { ...policy, announce: true } })
    const list = { jsonrpc: '2.0', id: 'l', method: 'tools/list' }
    const answers = [
      await (await openSession(gate)).say(list),
      await fetch(gate.mcp, toStateless(list, bearer(await gate.mint()))),
    ]
    for (const answer of answers) {
      const { result } = await readAnswer(answer)
      const tools = result?.['tools'] as { name: string; securitySchemes?: unknown }[]
      expect(tools.find(({ name }) => name === 'env')?.securitySchemes).toEqual([
        { type: 'oauth2', scopes: ['write'] },
      ])
    }
  })
})

describe('where OAuth is off', () => {
  it('everybody uses programs, within the bound for all (A1)', async () => {
    const gate = await start({
      config: { oauthEnabled: false },
      program: { maxProcesses: 2, maxProcessesPerUser: 1 },
    })
    const ask = () =>
      fetch(gate.mcp, post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} }))
    const sessions = [await ask(), await ask()]
    expect(sessions.map(({ status }) => status)).toEqual([200, 200])
    for (const each of sessions) expect(await readMessages(each).next()).toMatchObject({ id: 0 })
  })
})
