import { expect, it } from 'vitest'
import { openData } from '../../src/operate/config/to-options.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { endedGrants } from '../../src/storage/records/grant.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import { createFolder, runCommand } from '../cli/command.ts'
import { startTestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { postForm, readClaims, redeem } from '../helpers/oauth-client.ts'
import { type Site, startSite } from '../helpers/site.ts'

const lifetimes = { accessTokenSeconds: 86_400 }

async function connect(site: Site) {
  const back = await site.walk(site.browser(), 'client')
  return (await redeem(site.send, site.client, back.url.searchParams.get('code') ?? '')).body
}

it('a grant stays ended for tokens from before their lifetime was shortened (RV-04, ST-06)', async () => {
  const clock = testClock()
  const store = memoryStore({ clock })
  const generous = await startSite({ clock, store, lifetimes })
  const { access_token, refresh_token: token } = await connect(generous)
  const { client } = generous
  await generous.close()

  const strict = await startSite({ clock, store, localSignIn: false })
  await postForm(strict.send, '/revoke', { client_id: client.client_id, token })
  await strict.close()
  clock.advance(7200)
  const later = await startTestGatehouse({ clock, store })
  await later.gatehouse.context.revocations.ready
  const call = { method: 'POST', headers: { authorization: `Bearer ${access_token}` } }
  expect((await later.send('/mcp', call)).status).toBe(401)
  await later.close()
})

it('a command that knows nothing of the lifetimes ends a grant for good (RV-04)', async () => {
  const { folder, remove } = await createFolder()
  const data = await openData({
    data: folder,
    store: { driver: 'sqlite', path: `${folder}/gatehouse.db` },
    masterKey: undefined,
    previousMasterKey: undefined,
  })
  const site = await startSite({ ...data, clock: { ...systemClock, advance() {} }, lifetimes })
  const { access_token } = await connect(site)
  const { gid, exp } = readClaims(access_token)
  await site.close()
  await data.store.close()

  const { stdout } = await runCommand(['grants', 'revoke', String(gid), '--data', folder])
  expect(stdout).toContain('Revoked one grant')
  const later = { now: () => Number(exp) }
  const store = await sqliteStore({ path: `${folder}/gatehouse.db`, clock: later })
  expect(await endedGrants.find(store, String(gid))).toBeDefined()
  await store.close()
  await remove()
})
