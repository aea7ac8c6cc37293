/**
 * The least a refresh can cost: `node:http`, a form that is parsed, one ES256 signature by
 * `node:crypto`, two random values. It looks nothing up, remembers nothing and refuses nobody.
 */
import { listenOnLoopback } from './bare.ts'
import { createMint, createSecret, lifetimeSeconds } from './minting.ts'
import type { Started } from './protocol.ts'

/** Starts it. */
export function startSigningFloor(): Promise<Started> {
  const { mint } = createMint()
  const answer = (form: URLSearchParams, issuer: string): string =>
    JSON.stringify({
      access_token: mint({
        iss: issuer,
        sub: 'person',
        aud: form.get('resource'),
        client_id: form.get('client_id'),
        scope: 'mcp',
      }),
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      refresh_token: createSecret(),
      scope: 'mcp',
    })
  return listenOnLoopback((incoming, outgoing) => {
    let text = ''
    incoming.setEncoding('latin1')
    incoming.on('data', (chunk: string) => (text += chunk))
    incoming.on('end', () => {
      const body = answer(new URLSearchParams(text), `http://${incoming.headers.host}`)
      outgoing.writeHead(200, {
        'content-type': 'application/json',
        'content-length': body.length,
        'cache-control': 'no-store',
      })
      outgoing.end(body)
    })
  })
}
