/** The official conformance package, `authorization` mode, with a person played in the browser. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, type Live, startLive } from '../helpers/live.ts'
import { registerClient } from '../helpers/oauth-client.ts'

const program = fileURLToPath(new URL('../../node_modules/.bin/conformance', import.meta.url))
const port = 3999

let live: Live
beforeAll(async () => {
  live = await startLive()
})
afterAll(() => live.close())

/** Runs the suite; answers the authorization address it prints by playing the person. */
async function runSuite(clientId: string): Promise<{ output: string; code: number | null }> {
  const args = ['authorization', '--url', live.issuer, '--client-id', clientId]
  const child = spawn(process.execPath, [
    program,
    ...args,
    '--resource',
    live.url,
    '-p',
    String(port),
  ])
  let output = ''
  let opened = false
  const read = (chunk: Buffer): void => {
    output += chunk.toString()
    const url = new RegExp(`${live.issuer}/authorize\\?\\S+`).exec(output)?.[0]
    if (url === undefined || opened || !/\s/.test(output.slice(output.indexOf(url) + url.length)))
      return
    opened = true
    void approve(live.browser(), url).then((page) => fetch(page.url))
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { output, code }
}

describe('conformance authorization (2026-07-28)', () => {
  it('passes both scenarios (D6, D8, D9, H2)', { timeout: 60_000 }, async () => {
    const send = (path: string, init?: RequestInit) => fetch(live.issuer + path, init)
    const client = await registerClient(send, {
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
    })
    const { output, code } = await runSuite(client.client_id)
    expect(output).toContain('authorization-server-metadata-endpoint')
    expect(output).toContain('authorization-code-grant')
    expect(output).not.toMatch(/[1-9]\d* failed/)
    expect(code, output).toBe(0)
  })
})
