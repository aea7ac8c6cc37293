import { createHmac } from 'node:crypto'
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it, vi } from 'vitest'
import { systemRandom } from '../../src/platform/crypto.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import { refusal } from '../storage/fixtures.ts'
import { createMint, issuer } from './fixtures.ts'

const grant = {
  sub: 'user-1',
  aud: 'https://gatehouse.example/mcp',
  client_id: 'mcp_1',
  scope: 'mcp',
  gid: 'grant-1',
}

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  )
}

function decode(token: string, part: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString())
}

type Mint = Awaited<ReturnType<typeof createMint>>

/** Claims as we mint them, changed; `undefined` removes. */
function toClaims({ clock }: Mint, changes: Record<string, unknown> = {}) {
  const iat = clock.now()
  return { iss: issuer, ...grant, exp: iat + 60, iat, jti: 'jti-1', ...changes }
}

async function expectRefused({ tokens }: Mint, token: string, reason: string): Promise<void> {
  await expect(tokens.verify(token)).rejects.toMatchObject({
    ...refusal('invalid_token', reason),
    status: 401,
    description: 'The access token is invalid or has expired',
  })
}

describe('mint', () => {
  it.each(['ES256', 'EdDSA', 'RS256'] as const)(
    'makes %s tokens that verify',
    async (algorithm) => {
      const { tokens } = await createMint(algorithm)
      expect(await tokens.verify(await tokens.mint(grant, 60))).toMatchObject(grant)
    },
  )

  it('says exactly what the profile names and nothing of the person (JW-16, JW-18)', async () => {
    const { tokens, clock, keys } = await createMint()
    const greedy = { ...grant, email: 'ada@example.com', iss: 'https://evil.example', exp: 9e9 }
    const token = await tokens.mint(greedy, 3600)
    expect(decode(token, 0)).toEqual({ alg: 'ES256', kid: keys.jwks().keys[0]?.kid, typ: 'at+jwt' })
    const iat = clock.now()
    const jti = expect.stringMatching(/^[\w-]{22}$/)
    expect(decode(token, 1)).toEqual({ iss: issuer, ...grant, iat, exp: iat + 3600, jti })
  })

  it('never repeats a jti', async () => {
    const { tokens } = await createMint('EdDSA')
    const minted = await Promise.all(Array.from({ length: 200 }, () => tokens.mint(grant, 60)))
    expect(new Set(minted.map((token) => decode(token, 1).jti)).size).toBe(200)
  })
})

describe('verify', () => {
  it.each(['none', 'nOnE', 'NONE', '', undefined])('refuses alg %s (JW-01)', async (alg) => {
    const mint = await createMint()
    const kid = mint.keys.jwks().keys[0]?.kid
    const unsigned = `${encode({ alg, kid, typ: 'at+jwt' })}.${encode(toClaims(mint))}`
    await expectRefused(mint, `${unsigned}.`, 'malformed')
    await expectRefused(mint, `${unsigned}.AAAA`, 'alg')
  })

  it('refuses HS256 signed with the public key, in any of its spellings (JW-02)', async () => {
    const mint = await createMint('RS256')
    const [jwk] = mint.keys.jwks().keys
    const found = mint.keys.find(jwk?.kid ?? '')
    if (!found) throw new Error('The ring does not know its own key')
    const pem = await exportSPKI(found.key)
    const input = `${encode({ alg: 'HS256', kid: jwk?.kid, typ: 'at+jwt' })}.${encode(toClaims(mint))}`
    for (const secret of [pem, pem.trim(), jwk?.n ?? '', JSON.stringify(jwk)]) {
      const signature = createHmac('sha256', secret).update(input).digest('base64url')
      await expectRefused(mint, `${input}.${signature}`, 'alg')
    }
  })

  it('never looks at a key inside the token (JW-03)', async () => {
    const mint = await createMint()
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const kid = mint.keys.jwks().keys[0]?.kid
    const sign = (header: { kid?: string | undefined }): Promise<string> => {
      const all = { alg: 'ES256', typ: 'at+jwt', jwk, jku: 'https://evil.example', x5c: ['AA'] }
      return new SignJWT(toClaims(mint)).setProtectedHeader({ ...all, ...header }).sign(privateKey)
    }
    await expectRefused(mint, await sign({ kid }), 'signature')
    await expectRefused(mint, await sign({}), 'unknown_key')
    await expectRefused(mint, await sign({ kid: '../../dev/null' }), 'unknown_key')
    await expectRefused(mint, await sign({ kid: '__proto__' }), 'unknown_key')
  })

  it('refuses critical headers, known or not (JW-05)', async () => {
    const mint = await createMint()
    const kid = mint.keys.jwks().keys[0]?.kid
    for (const extra of [{ crit: ['exp'], exp: 1 }, { crit: ['b64'], b64: true }, { crit: [] }]) {
      const header = encode({ alg: 'ES256', kid, typ: 'at+jwt', ...extra })
      await expectRefused(
        mint,
        `${header}.${encode(toClaims(mint))}.${encode('x'.repeat(64))}`,
        'crit',
      )
    }
  })

  it.each(['JWT', 'jwt', 'consent+jwt', 'application/at+jwt', 'AT+JWT'])(
    'refuses what our own key signed as %s (JW-06)',
    async (typ) => {
      const mint = await createMint()
      await expectRefused(mint, await mint.keys.sign(toClaims(mint), typ), 'typ')
    },
  )

  it('refuses a token of another deployment, with its key or with ours (JW-08, JW-09)', async () => {
    const mint = await createMint()
    const { keys, clock } = mint
    const staging = { issuer: 'https://staging.example', keys, clock, random: systemRandom }
    await expectRefused(mint, await createAccessTokens(staging).mint(grant, 60), 'issuer')
    const other = await createMint()
    await expectRefused(mint, await other.tokens.mint(grant, 60), 'unknown_key')
  })

  it.each([
    ['iss', `${issuer}/`, 'issuer'],
    ['iss', issuer.slice(0, -1), 'issuer'],
    ['iss', [issuer], 'claim_iss'],
    ['iss', undefined, 'claim_iss'],
    ['aud', [grant.aud], 'claim_aud'],
    ['aud', undefined, 'claim_aud'],
    ['sub', undefined, 'claim_sub'],
    ['sub', 7, 'claim_sub'],
    ['client_id', undefined, 'claim_client_id'],
    ['scope', ['mcp'], 'claim_scope'],
    ['jti', undefined, 'claim_jti'],
    ['gid', undefined, 'claim_gid'],
    ['exp', undefined, 'claim_exp'],
    ['exp', '4102444800', 'claim_exp'],
    ['exp', 0, 'claim_exp'],
    ['exp', -1, 'claim_exp'],
    ['exp', 1.5, 'claim_exp'],
    ['exp', null, 'claim_exp'],
    ['exp', 1e300, 'claim_exp'],
    ['iat', undefined, 'claim_iat'],
    ['iat', '0', 'claim_iat'],
    ['nbf', 1, 'nbf'],
  ])('refuses %s = %j (JW-07, JW-09, JW-10)', async (name, value, reason) => {
    const mint = await createMint()
    const bytes = Buffer.from(JSON.stringify(toClaims(mint, { [name]: value })))
    await expectRefused(mint, await signBytes(mint, bytes), reason)
  })

  it('refuses numbers that JSON cannot hold, and payloads that are not UTF-8 objects (JW-10, JW-11)', async () => {
    const mint = await createMint()
    const endless = JSON.stringify(toClaims(mint)).replace(/"exp":\d+/, '"exp":1e400')
    await expectRefused(mint, await signBytes(mint, Buffer.from(endless)), 'claim_exp')
    for (const payload of [Buffer.from([0xff, 0xfe]), Buffer.from('[]'), Buffer.from('null')]) {
      await expectRefused(mint, await signBytes(mint, payload), 'malformed')
    }
  })

  it('lets clocks differ by 30 seconds for the time of issue, and by nothing for expiry (JW-10)', async () => {
    const mint = await createMint()
    const sign = (iat: number) => mint.keys.sign(toClaims(mint, { iat }), 'at+jwt')
    const now = mint.clock.now()
    expect(await mint.tokens.verify(await sign(now + 30))).toMatchObject(grant)
    await expectRefused(mint, await sign(now + 31), 'issued_in_future')
    const token = await mint.tokens.mint(grant, 60)
    mint.clock.advance(59)
    expect(await mint.tokens.verify(token)).toMatchObject(grant)
    mint.clock.advance(1)
    await expectRefused(mint, token, 'expired')
  })

  it('refuses every malformed shape at once, however large (JW-11, JW-13)', async () => {
    const mint = await createMint()
    const good = await mint.tokens.mint(grant, 60)
    const [header = '', payload = '', signature = ''] = good.split('.')
    const json = JSON.stringify({ protected: header, payload, signature })
    const spellings = [
      ['', 'a', 'a.b', `${header}.${payload}`, `${good}.x`, '.'.repeat(1000), json],
      [` ${good}`, `${good} `, `${good}\n`, `${good}=`, `${header}=.${payload}.${signature}`],
      [`${header}.${payload}.${signature.slice(0, -1)}+`, `%00${good}`, `${good}é`, '\0.\0.\0'],
      [`${encode('{')}.${payload}.${signature}`, `${encode('7')}.${payload}.${signature}`],
    ].flat()
    for (const token of spellings) await expectRefused(mint, token, 'malformed')
    await expectRefused(mint, 'A'.repeat(1_000_000), 'too_long')
    await expectRefused(mint, '.'.repeat(8000), 'malformed')
    expect(await timeRefusal(mint, 'A'.repeat(1_000_000))).toBeLessThan(1)
    expect(await timeRefusal(mint, `${'A.'.repeat(4000)}A`)).toBeLessThan(1)
    expect(await mint.tokens.verify(good)).toMatchObject(grant)
  })

  it('refuses any change of header, payload or signature, also of its unused bits (JW-14)', async () => {
    const mint = await createMint()
    const token = await mint.tokens.mint(grant, 60)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const flip = (at: number): string => {
      const next = alphabet[(alphabet.indexOf(token[at] ?? '') + 1) % 64]
      return token.slice(0, at) + next + token.slice(at + 1)
    }
    for (const [at, letter] of [...token].entries()) {
      if (letter === '.') continue
      await expect(mint.tokens.verify(flip(at))).rejects.toMatchObject({ code: 'invalid_token' })
    }
  })

  it('remembers verified tokens, and checks their expiry at each use (JW-15)', async () => {
    const mint = await createMint()
    const resolve = vi.spyOn(mint.keys, 'resolve')
    const token = await mint.tokens.mint(grant, 60)
    const other = await mint.tokens.mint({ ...grant, sub: 'user-2' }, 60)
    for (let use = 0; use < 5; use++) {
      expect((await mint.tokens.verify(token)).sub).toBe('user-1')
      expect((await mint.tokens.verify(other)).sub).toBe('user-2')
    }
    expect(resolve).toHaveBeenCalledTimes(2)
    const claims = await mint.tokens.verify(token)
    expect(() => Object.assign(claims, { sub: 'eve' })).toThrow(TypeError)
    mint.clock.advance(60)
    await expectRefused(mint, token, 'expired')
    await expectRefused(mint, token, 'expired')
  })

  it('does not remember refusals as acceptances (JW-15)', async () => {
    const mint = await createMint()
    const token = await mint.keys.sign(toClaims(mint, { iss: 'https://evil.example' }), 'at+jwt')
    await expectRefused(mint, token, 'issuer')
    await expectRefused(mint, token, 'issuer')
  })
})

/** Milliseconds until the token is refused, the best of many tries: other tests share the machine. */
async function timeRefusal({ tokens }: Mint, token: string): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 50; round++) {
    const started = performance.now()
    await tokens.verify(token).catch(() => {})
    times.push(performance.now() - started)
  }
  return Math.min(...times)
}

/** Signs any bytes with the ring's own key: what only a fault of ours could produce. */
async function signBytes(mint: Mint, payload: Uint8Array): Promise<string> {
  const { store, sealer } = mint
  const [entry] = await store.list('key/')
  const { sealedPrivateJwk, kid } = JSON.parse(entry?.value ?? '{}')
  const jwk = JSON.parse(sealer.open('signing-key', entry?.key ?? '', sealedPrivateJwk))
  const header = { alg: 'ES256', kid, typ: 'at+jwt' }
  return new CompactSign(payload).setProtectedHeader(header).sign(jwk)
}
