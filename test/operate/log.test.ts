import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/errors.ts'
import { createAudit } from '../../src/operate/audit.ts'
import { createLog, type LogFormat } from '../../src/operate/log.ts'

const clock = { now: () => 1_700_000_000 }

function keepLines() {
  const lines: string[] = []
  return { lines, write: (line: string) => void lines.push(line) }
}

function writeOne(format: LogFormat, message: string, fields?: Record<string, unknown>): string {
  const destination = keepLines()
  createLog({ format, destination, clock }).info(message, fields)
  return destination.lines.join('')
}

describe('the log', () => {
  it('writes one JSON object per line, with level, time and message', () => {
    expect(JSON.parse(writeOne('json', 'Listening', { port: 8787 }))).toEqual({
      level: 'info',
      time: '2023-11-14T22:13:20.000Z',
      message: 'Listening',
      port: 8787,
    })
  })

  it('writes text as time, level, message and pairs', () => {
    expect(
      writeOne('text', 'Listening', { port: 8787, host: '127.0.0.1', note: 'two words' }),
    ).toBe('2023-11-14T22:13:20.000Z info  Listening port=8787 host=127.0.0.1 note="two words"\n')
  })

  it('masks our codes and tokens wherever they stand (OP-03)', () => {
    const secret = 'k'.repeat(43)
    const jwt = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${secret}`
    const uri = `https://client.example/?x=ghr_${secret}`
    const line = writeOne('json', `Refused ghc_${secret}`, { uri, note: `gha_${secret} ${jwt}` })
    expect(line).toContain('client.example')
    expect(line).not.toContain(secret)
  })

  it('drops what is below its level', () => {
    const destination = keepLines()
    const log = createLog({ level: 'warn', destination })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    expect(destination.lines).toHaveLength(2)
  })

  const secret = 'S3CR3T-value-1234'
  const places: [string, Record<string, unknown>][] = [
    ['authorization', { headers: { authorization: `Bearer ${secret}` } }],
    ['cookie', { headers: { Cookie: `a=${secret}`, 'set-cookie': secret } }],
    ['code', { code: secret }],
    ['tokens', { body: { answer: { access_token: secret, refreshToken: secret, token: secret } } }],
    ['client secret', { form: [{ client_secret: secret }] }],
    ['password', { a: { b: { c: { password: secret } } } }],
    ['code_verifier', { params: { code_verifier: secret, codeVerifier: secret } }],
    ['a query', { url: `https://client.example/cb?code=${secret}&iss=x` }],
    ['a URL object', { url: new URL(`https://client.example/cb?access_token=${secret}`) }],
    ['Headers', { headers: new Headers({ authorization: `Basic ${secret}` }) }],
    ['a Bearer value inside a text', { note: `sent Bearer ${secret} upstream` }],
    ['an error message', { error: new Error(`failed for refresh_token=${secret}`) }],
    ['a cause', { error: new Error('x', { cause: { token: secret } }) }],
  ]
  for (const format of ['json', 'text'] as const) {
    it.each(places)(`masks a secret in %s, as ${format} (OP-03)`, (_, fields) => {
      const line = writeOne(format, 'Something', fields)
      expect(line).not.toContain(secret)
      expect(line).toContain('[redacted]')
    })
  }

  it('keeps the words for errors, which are no secrets', () => {
    const error = new OAuthError('invalid_grant', 'Used before', { reason: 'code_replayed' })
    const line = JSON.parse(writeOne('json', 'Refused', { code: 'invalid_grant', error }))
    expect(line.code).toBe('invalid_grant')
    expect(line.error).toMatchObject({ error_code: 'invalid_grant', reason: 'code_replayed' })
  })

  it.each(['json', 'text'] as const)(
    'cannot be made to write a second line, as %s (DS-12)',
    (format) => {
      const line = writeOne(format, 'Name\nlevel=error', {
        name: 'evil\r\n{"level":"error"}\u001b[2J\u2028\u202e',
      })
      expect(line.trimEnd().split(/[\n\r\u2028]/)).toHaveLength(1)
      expect(line).not.toMatch(/[\u001b\u202e]/)
    },
  )

  it('survives what cannot be serialised', () => {
    const loop: Record<string, unknown> = { big: 12n, work: () => 1, bytes: new Uint8Array(4) }
    loop.self = loop
    expect(writeOne('json', 'Odd', { loop })).toContain('[4 bytes]')
  })

  it('cuts off texts that would flood it (DS-12)', () => {
    expect(writeOne('json', 'Long', { text: 'x'.repeat(100_000) }).length).toBeLessThan(5000)
  })
})

describe('the audit log', () => {
  it('writes an event as one line with who, what, why and from where (OP-04)', () => {
    const destination = keepLines()
    createAudit({ destination, clock })({
      event: 'token.refused',
      outcome: 'refused',
      reason: 'code_replayed',
      clientId: 'mcp_1',
      userId: 'user-1',
      grantId: 'grant-1',
      requestId: 'req-1',
      peer: '192.0.2.1',
      details: { grant_type: 'authorization_code', code: 'never' },
    })
    expect(destination.lines).toHaveLength(1)
    expect(JSON.parse(destination.lines[0] ?? '')).toEqual({
      level: 'info',
      time: '2023-11-14T22:13:20.000Z',
      message: 'Token request refused',
      audit: true,
      event: 'token.refused',
      outcome: 'refused',
      reason: 'code_replayed',
      client_id: 'mcp_1',
      user: 'user-1',
      grant: 'grant-1',
      request_id: 'req-1',
      peer: '192.0.2.1',
      details: { grant_type: 'authorization_code', code: '[redacted]' },
    })
  })

  it('names the redirect URI of a registration in words that can be searched for (H7)', () => {
    const destination = keepLines()
    createAudit({ destination, format: 'text' })({
      event: 'client.registered',
      outcome: 'ok',
      clientId: 'mcp_1',
      details: { redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'] },
    })
    expect(destination.lines[0]).toContain(
      'Client registered with redirect_uri: https://chatgpt.com/connector_platform_oauth_redirect (Registered client: mcp_1)',
    )
  })

  it('lets the request fail when a line cannot be written (OP-04)', () => {
    const destination = {
      write() {
        throw new Error('disk full')
      },
    }
    const audit = createAudit({ destination })
    expect(() => audit({ event: 'sign-out', outcome: 'ok' })).toThrow('disk full')
  })
})
