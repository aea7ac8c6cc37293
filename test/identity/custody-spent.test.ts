/** A reverification that spends the refresh token: the new one is kept, whatever is then thought of the answer. */
import { expect, it } from 'vitest'
import type { AdmissionRules } from '../../src/identity/admission.ts'
import type { UpstreamTokens } from '../../src/identity/upstream.ts'
import { links } from '../../src/storage/records/link.ts'
import { upstreamRevocations } from '../../src/storage/records/upstream-revocation.ts'
import { createSealer } from '../../src/storage/sealed.ts'
import { masterKey } from '../helpers/gatehouse.ts'
import { createCustodyHouse, resource, userId } from './custody-house.ts'
import { client, setScene } from './hostile-oidc.ts'
import { createSigner, signJwt } from './signers.ts'

const scene = setScene()
const stranger = createSigner('RS256', 'a key that is not published')

/** Ada is due to be verified again at a provider that rotates: `r0` yields `r1`, `r1` yields `r2`. */
async function createDue(admission: AdmissionRules = {}) {
  const house = await createCustodyHouse()
  const { clock, store } = house
  const spent: string[] = []
  const reused: string[] = []
  const answer = { signer: scene.mock.signer, hasIdToken: true }
  const refresh = (body: string): Response => {
    const refreshToken = new URLSearchParams(body).get('refresh_token') ?? ''
    if (refreshToken !== `r${spent.length}`) {
      reused.push(refreshToken)
      return Response.json({ error: 'invalid_grant' }, { status: 400 })
    }
    const count = spent.push(refreshToken)
    const times = { iat: clock.now(), exp: clock.now() + 60 }
    const claims = { iss: scene.mock.origin, sub: 'johndoe', aud: client.clientId, ...times }
    return Response.json({
      access_token: `a${count}`,
      refresh_token: `r${count}`,
      token_type: 'bearer',
      expires_in: 3600,
      ...(answer.hasIdToken && { id_token: signJwt(answer.signer, claims) }),
    })
  }
  const { upstream } = scene.create({
    clock,
    admission,
    reverifyWith: 'refresh-token',
    fetch: async (...sent) => {
      const request = new Request(...sent)
      return request.url.endsWith('/token') ? refresh(await request.text()) : fetch(request)
    },
  })
  const custody = await house.start({
    rules: { reverifySeconds: 10, lifetimeFollowsUpstream: false, backends: [{ resource }] },
    upstream: { ...upstream, id: 'rotating' },
  })
  await custody.keep(userId, 'rotating', { accessToken: 'a0', refreshToken: 'r0' })
  clock.advance(11)
  const sealer = await createSealer({ store, masterKey, clock })
  const open = (sealed = ''): UpstreamTokens =>
    JSON.parse(sealer.open('upstream-tokens', links.key(userId, 'rotating'), sealed))
  return { ...house, spent, reused, answer, open, verify: () => custody.verify(userId, 'rotating') }
}

it('an ID token that cannot be verified now ends nothing (P5, SG-09)', async () => {
  const { answer, verify, spent, clock, addGrant, ended, findLink, open } = await createDue()
  await addGrant('stands')
  answer.signer = stranger
  await expect(verify()).rejects.toMatchObject({ status: 503 })
  expect(spent).toEqual(['r0', 'r1'])
  expect(open((await findLink())?.sealedTokens)).toMatchObject({ refreshToken: 'r2' })
  answer.signer = scene.mock.signer
  clock.advance(5)
  expect(await verify()).toEqual({})
  expect(spent).toEqual(['r0', 'r1', 'r2'])
  expect(ended).toEqual([])
})

it('tokens of somebody who may no longer enter are revoked as they are by then', async () => {
  const { verify, store, open } = await createDue({ logins: ['somebody else'] })
  await expect(verify()).rejects.toMatchObject({ reason: 'upstream_not_admitted' })
  const [revocation] = await upstreamRevocations.list(store)
  expect(open(revocation?.value.sealedTokens)).toMatchObject({
    accessToken: 'a1',
    refreshToken: 'r1',
  })
})

it('a provider that gives no ID token then can be asked by a new sign-in alone', async () => {
  const { answer, verify, reused } = await createDue()
  answer.hasIdToken = false
  await expect(verify()).rejects.toMatchObject({ code: 'invalid_grant' })
  expect(reused).toEqual([])
})
