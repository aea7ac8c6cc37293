/** What the owner reads of programs in the log: no alarm where nothing is wrong. */
import { describe, expect, it } from 'vitest'
import { byHand, openSession, startStdioGate } from './stdio-fixture.ts'

type Gate = Awaited<ReturnType<typeof startStdioGate>>

const findLog = ({ logs }: Gate, message: string) =>
  logs.filter((line) => line.message === message).map(({ fields }) => fields)

describe('the log of a program', () => {
  it('does not say that it ended by itself when Gatehouse stops', async () => {
    const gate = await startStdioGate()
    await (await openSession(gate)).call('pid')
    await gate.close()
    expect(findLog(gate, 'A program ended by itself')).toEqual([])
    expect(findLog(gate, 'A program was stopped')).toMatchObject([{ backend: 'mcp', exitCode: 0 }])
  })

  it('ends with what it said on standard output, too, where many say how they are to be used', async () => {
    const gate = await startStdioGate({
      program: { args: ['-e', 'console.log("Usage: server FOLDER")'] },
    })
    await openSession(gate)
    expect(findLog(gate, 'A program ended by itself')).toMatchObject([
      { exitCode: 0, lastWords: 'Usage: server FOLDER' },
    ])
    await gate.close()
  })

  it('has no empty lines, and names the request that started it as every other line does', async () => {
    const script = `console.error('one\\n\\n  \\ntwo')`
    const noisy = `data:text/javascript,${encodeURIComponent(script)}`
    const gate = await startStdioGate({ program: { args: ['--import', noisy, byHand] } })
    await (await openSession(gate)).call('pid')
    await gate.close()
    const lines = findLog(gate, 'A program says').map((fields) => fields?.['line'])
    expect(lines).toEqual(['one', 'two', expect.stringContaining('ready ')])
    expect(findLog(gate, 'A program was started')).toMatchObject([
      { request_id: expect.any(String) },
    ])
  })
})
