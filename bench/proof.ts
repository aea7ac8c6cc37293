/** Before anything is measured each contender shows that it does what is said of it. */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Client, Tokens } from './client.ts'
import type { Issuer } from './contenders.ts'
import type { MeasuredServer } from './server-process.ts'

/**
 * Refreshes once and looks at what came: another refresh token, another access token, and that one a
 * JWT signed with ES256 by a published key, unless the contender can only do opaque ones.
 */
export async function verifyWork(
  issuer: Issuer,
  server: MeasuredServer,
  client: Client,
  person: { tokens: Tokens },
): Promise<void> {
  const before = person.tokens
  person.tokens = await client.refresh(before)
  const { accessToken, refreshToken } = person.tokens
  if (refreshToken === before.refreshToken) throw new Error(`${issuer.name} does not rotate`)
  if (accessToken === before.accessToken) throw new Error(`${issuer.name} repeats its access token`)
  const seen = await describeToken(accessToken, server)
  if (seen !== issuer.accessToken) throw new Error(`${issuer.name} answers with ${seen} tokens`)
}

async function describeToken(
  token: string,
  { send, paths }: MeasuredServer,
): Promise<Issuer['accessToken']> {
  if (token.split('.').length !== 3) return 'opaque'
  const reply = await send({ method: 'GET', path: paths.jwks, headers: {} })
  const keys = createLocalJWKSet(JSON.parse(reply.body) as JSONWebKeySet)
  await jwtVerify(token, keys, { algorithms: ['ES256'] })
  return decodeProtectedHeader(token).alg === 'ES256' ? 'ES256 JWT' : 'opaque'
}
