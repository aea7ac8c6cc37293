/** The report of a login says as whom it was made, where the client itself would have come otherwise. */
import { describe, expect, it } from 'vitest'
import { explainIdentity, findLoginWay, findOtherWay } from '../../src/doctor/login/identity.ts'
import type { LoginPlan } from '../../src/doctor/login/login-visit.ts'
import { ownClient, planLogin, toLoginClient } from '../../src/doctor/login/plan-login.ts'
import { profiles } from '../../src/profiles/registry.ts'
import { all, at, paths, withMembers } from './broken/broken.ts'
import { origin, page, serverMetadata } from './broken/healthy.ts'
import { type Alter, visitWorld } from './broken/world.ts'

const noDocuments = withMembers(paths.server, { client_id_metadata_document_supported: false })

async function plan(id: string, { alter, clientId }: { alter?: Alter; clientId?: string } = {}) {
  const { shared } = await visitWorld({ ...(alter && { alter }) })
  const profile = profiles.find((one) => one.id === id)
  const client = profile === undefined ? ownClient : toLoginClient(profile)
  if (client === undefined) throw new Error(`${id} cannot be played`)
  const planned = planLogin(shared, { ...client, clientId })
  if ('problem' in planned) throw new Error(planned.problem)
  return planned.plan
}

const tell = (seen: LoginPlan) => [findLoginWay(seen), findOtherWay(seen)?.kind]

describe('a login', () => {
  it('registers for a client that would use its metadata document, and says so', async () => {
    const seen = await plan('claude-code')
    expect(tell(seen)).toEqual(['registration', 'document'])
    expect(explainIdentity(seen)).toMatch(
      /registered a client of its own.+Claude Code itself comes with its metadata document, https:\/\//,
    )
  })

  it.each(['claude-code', 'gemini-cli'])(
    'is what %s does where only registration is',
    async (id) => {
      const seen = await plan(id, { alter: noDocuments })
      expect(tell(seen)).toEqual(['registration', undefined])
      expect(explainIdentity(seen)).toBe('The doctor registered a client of its own for this.')
    },
  )

  it('with an id that was typed in is not what a client does that registers', async () => {
    const seen = await plan('gemini-cli', { clientId: 'typed' })
    expect(tell(seen)).toEqual(['typed-in', 'registration'])
    expect(explainIdentity(seen)).toBe(
      'The doctor used the client id that was typed in; Gemini CLI itself registers here.',
    )
  })

  it('of the doctor’s own client is compared with nothing', async () => {
    expect(tell(await plan('doctor'))).toEqual(['registration', undefined])
  })

  it('is made at the second server that is named, by those that go on to it', async () => {
    const issuer = `${origin}/tenant`
    const alter = all(
      withMembers(paths.resource, { authorization_servers: [`${origin}/gone`, issuer] }),
      at(paths.server, () => page('Not found', 404)),
      at(`${paths.server}/tenant`, () => ({ status: 200, body: { ...serverMetadata, issuer } })),
    )
    expect(await plan('codex', { alter })).toMatchObject({ issuer })
    expect(await plan('doctor', { alter })).toMatchObject({ issuer })
    await expect(plan('claude-code', { alter })).rejects.toThrow('No metadata names')
  })
})
