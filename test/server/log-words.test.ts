/** What the guides tell owners to search the log for, in lines of both formats (H7). */
import { afterEach, describe, expect, it } from 'vitest'
import { logStart } from '../../src/cli/start-log.ts'
import { createGatehouse } from '../../src/gatehouse.ts'
import { createAudit } from '../../src/operate/audit.ts'
import { createLog } from '../../src/operate/log.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { keptLog, masterKey, startTestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { redeem, registerClient } from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.each(['json', 'text'] as const)('the log as %s (H7)', (format) => {
  it('has a line for each event of a connection, in the words of the guides', async () => {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const clock = testClock()
    const issuer = 'https://mcp.example.com'
    const gatehouse = await createGatehouse({
      issuer,
      backends: [{ to: 'http://127.0.0.1:9/mcp' }],
      store: memoryStore({ clock }),
      masterKey,
      clock,
      log: createLog({ format, destination }),
      audit: createAudit({ format, destination }),
    })
    closing.push(() => gatehouse.close())
    const send = (path: string, init?: RequestInit) =>
      gatehouse.fetch(new Request(new URL(path, issuer), init))
    const redirectUri = 'https://chatgpt.com/connector_platform_oauth_redirect'
    const client = await registerClient(send, { redirect_uris: [redirectUri] })
    const site = {
      gatehouse,
      clock,
      issuer,
      send,
      log: keptLog(),
      audit: [],
      close: gatehouse.close,
    }
    const person = await createPerson(site)
    await redeem(send, client, await person.authorize(client))
    for (const words of [
      'Client registered',
      `Client registered with redirect_uri: ${redirectUri}`,
      `Registered client: ${client.client_id}`,
      `Generated authorization code for client: ${client.client_id}`,
      'Exchanged authorization code for tokens',
    ]) {
      expect(
        lines.filter((line) => line.includes(words)),
        words,
      ).not.toEqual([])
    }
    const registered = lines.filter((line) => line.includes('Client registered with redirect_uri'))
    expect(registered).toHaveLength(1)
    expect(registered[0]).toContain(client.client_id)
  })
})

describe('the start', () => {
  async function read(options: Parameters<typeof startTestGatehouse>[0]) {
    const { gatehouse, close } = await startTestGatehouse(options)
    closing.push(close)
    const log = keptLog()
    logStart({ config: gatehouse.context.config, log })
    return log.lines.map(({ level, message }) => [level, message])
  }

  it('says that OAuth is on, for whom and where', async () => {
    expect(await read({ paths: { base: '/oauth', token: '/token' } })).toEqual([
      ['info', 'OAuth enabled: True'],
      ['info', 'OAuth issuer URL: https://mcp.example.com'],
      ['info', 'OAuth provider initialized'],
      [
        'info',
        'OAuth endpoints registered: /oauth/authorize, /token, /oauth/register, /oauth/revoke, /oauth/introspect, /oauth/jwks',
      ],
    ])
  })

  it('names what clients say where none can register, and the ways out', async () => {
    const lines = await read({ dynamicRegistration: false })
    expect(lines.at(-1)).toEqual([
      'warn',
      expect.stringMatching(/"Failed to resolve OAuth client".*gatehouse clients add.*dynamicReg/),
    ])
    expect(lines.flat().join()).not.toContain('/register')
  })

  it('names the issuer of the tokens where that is somebody else', async () => {
    const issuer = 'https://auth.example.com'
    const lines = await read({ registration: { mode: 'verify', issuer }, localSignIn: false })
    expect(lines).toEqual([
      ['info', 'OAuth enabled: True'],
      ['info', `OAuth issuer URL: ${issuer}`],
    ])
  })
})
