import { afterEach, describe, expect, it } from 'vitest'
import { startTestGatehouse, type TestGatehouse } from '../helpers/gatehouse.ts'

let running: TestGatehouse | undefined
afterEach(() => running?.close())

const html = { headers: { accept: 'text/html' } }

describe('the home page', () => {
  it('says what to paste into which app, from configuration alone (A10)', async () => {
    running = await startTestGatehouse()
    const answer = await running.gatehouse.fetch(
      new Request('http://127.0.0.1:8787/?x=<script>', html),
    )
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).toContain('https://mcp.example.com/mcp')
    expect(text).toContain('ChatGPT')
    expect(text).not.toContain('<script')
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  it('asks browsers to come back by https only, on an https issuer (EN-11)', async () => {
    running = await startTestGatehouse()
    const answer = await running.send('/', html)
    expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000')
    await running.close()
    running = await startTestGatehouse({ issuer: 'http://localhost:8787' })
    const plain = await running.send('/', html)
    expect(plain.headers.has('strict-transport-security')).toBe(false)
  })

  it('names every server behind this address', async () => {
    running = await startTestGatehouse({
      backends: [
        { id: 'notes', name: 'Notes', path: '/notes/mcp' },
        { id: 'mail', name: 'Mail <b>', path: '/mail/mcp' },
      ],
    })
    const text = await (await running.send('/', html)).text()
    expect(text).toContain('https://mcp.example.com/notes/mcp')
    expect(text).toContain('https://mcp.example.com/mail/mcp')
    expect(text).toContain('Mail &lt;b&gt;')
  })

  it('tells nobody who uses it, which apps, or which version runs (OP-05)', async () => {
    running = await startTestGatehouse()
    await running.gatehouse.context.users.addLocal(
      'ada@example.com',
      'correct horse battery',
      'owner',
    )
    const answer = await running.send('/', html)
    expect(await answer.text()).not.toMatch(/ada@|127\.0\.0\.1|node_modules|\d+\.\d+\.\d+/)
    expect(answer.headers.get('x-powered-by')).toBeNull()
  })
})
