/** Clients that the configuration describes: in the store after every start, whatever was there before. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OwnClientOptions } from '../../src/oauth/own-client.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { clients } from '../../src/storage/records/client.ts'
import type { Commit, Store } from '../../src/storage/store.ts'
import { startTestGatehouse, type TestGatehouse, testClock } from '../helpers/gatehouse.ts'
import {
  authorizePath,
  postForm,
  redeem,
  refresh,
  registerClient,
} from '../helpers/oauth-client.ts'
import { createPerson } from '../helpers/person.ts'
import { verifies } from '../verifies.ts'

const redirectUri = 'https://chatgpt.com/connector_platform_oauth_redirect'
const described: OwnClientOptions = {
  id: 'chatgpt',
  secret: 'chosen by the owner',
  redirectUris: [redirectUri],
  name: 'ChatGPT',
}
const client = {
  client_id: 'chatgpt',
  client_secret: 'chosen by the owner',
  redirect_uris: [redirectUri],
}

let store: Store
let commits: Commit[]
const running: TestGatehouse[] = []
const clock = testClock()

beforeEach(() => {
  const kept = memoryStore({ clock })
  commits = []
  store = {
    ...kept,
    commit: (change) => {
      commits.push(change)
      return kept.commit(change)
    },
  }
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.close()
  await store.close()
})

async function start(...described: OwnClientOptions[]): Promise<TestGatehouse> {
  const site = await startTestGatehouse({ store, clock, clients: described })
  running.push(site)
  return site
}

const findWarnings = ({ log }: TestGatehouse): string[] =>
  log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)

describe('a client that the configuration describes', () => {
  verifies('N1', async () => {
    const site = await start(described)
    const person = await createPerson(site)
    const tokens = await redeem(site.send, client, await person.authorize(client))
    expect(tokens.status).toBe(200)
    const stored = await clients.find(store, 'chatgpt')
    expect(stored?.value).toMatchObject({ origin: 'preregistered', pkce: 'required' })
    const everything = JSON.stringify(commits)
    expect(everything).not.toContain(described.secret)
    expect(JSON.stringify([site.audit, site.log.lines])).not.toContain(described.secret)
    expect(site.audit).toContainEqual(
      expect.objectContaining({ event: 'client.registered', clientId: 'chatgpt' }),
    )
  })

  it('is left alone by a start that finds it so, on any number of instances', async () => {
    await Promise.all([start(described), start(described)])
    const written = (): number =>
      commits.flatMap(({ set = [] }) => set).filter(({ key }) => /client/.test(key)).length
    const before = written()
    const again = await start(described)
    expect(written()).toBe(before)
    expect(again.audit).toEqual([])
    expect(findWarnings(again)).toEqual([])
  })

  it('has the new secret and the new URI after a restart, and its grants stay', async () => {
    const first = await start(described)
    const person = await createPerson(first)
    const tokens = await redeem(first.send, client, await person.authorize(client))

    const moved = 'https://chatgpt.com/aip/g-1/oauth/callback'
    const changed = { ...described, secret: 'another secret', redirectUris: [moved] }
    const second = await start(changed)
    const refreshToken = String(tokens.body.refresh_token)
    const refused = await refresh(second.send, client, refreshToken)
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const renewed = { ...client, client_secret: 'another secret' }
    expect((await refresh(second.send, renewed, refreshToken)).status).toBe(200)
    const old = await person.browser.open(second.issuer + authorizePath(client))
    expect(old.status).toBe(400)
    expect(second.audit).toContainEqual(
      expect.objectContaining({ event: 'client.updated', clientId: 'chatgpt' }),
    )
  })

  it('stays and is reported at each start when it is no longer described', async () => {
    await start(described, { ...described, id: 'other' })
    for (const restart of ['one restart', 'another']) {
      const site = await start({ ...described, id: 'other' })
      expect(findWarnings(site), restart).toEqual([
        'Client chatgpt is no longer in the configuration and still works; remove it with: gatehouse clients remove chatgpt',
      ])
      expect((await clients.find(store, 'chatgpt'))?.value.secretHash).toBeDefined()
    }
    await store.commit({ delete: [clients.key('chatgpt')] })
    expect(findWarnings(await start({ ...described, id: 'other' }))).toEqual([])
    expect(findWarnings(await start({ ...described, id: 'other' }))).toEqual([])
  })

  it('may come without PKCE only when its own setting says so (H5)', async () => {
    const site = await start(described, { ...described, id: 'action', pkce: 'optional' })
    const person = await createPerson(site)
    const bare = { code_challenge: undefined, code_challenge_method: undefined }
    const action = { ...client, client_id: 'action' }
    const code = await person.authorize(action, bare)
    const answer = await postForm(site.send, '/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      client_id: 'action',
      client_secret: client.client_secret,
    })
    expect(answer.status).toBe(200)
    expect((await person.approve(client, bare)).url.searchParams.has('code')).toBe(false)
  })
})

describe('the scopes that the owner gave a client', () => {
  const scopes = { read: 'Read', write: 'Write', payment: 'Pay' }
  const limited = { ...described, id: 'limited', scopes: ['read', 'payment'] }
  const bound = { ...client, client_id: 'limited' }

  it.each([
    ['it asks for more', 'read write payment', 'read payment'],
    ['it asks for others only', 'write', 'read'],
    ['it asks for none', undefined, 'read'],
    ['it asks to refresh', 'write payment offline_access', 'payment offline_access'],
  ])('are all it gets when %s', async (_, scope, granted) => {
    const site = await startTestGatehouse({
      store,
      clock,
      scopes,
      defaultScopes: ['write', 'read'],
      clients: [limited],
    })
    running.push(site)
    const person = await createPerson(site)
    const tokens = await redeem(site.send, bound, await person.authorize(bound, { scope }))
    expect(tokens).toMatchObject({ status: 200, body: { scope: granted } })
  })

  it('do not shut it out when no default is among them', async () => {
    const site = await startTestGatehouse({
      store,
      clock,
      scopes,
      defaultScopes: ['write'],
      clients: [limited],
    })
    running.push(site)
    const person = await createPerson(site)
    const tokens = await redeem(site.send, bound, await person.authorize(bound))
    expect(tokens.body.scope).toBe('read payment')
  })

  it('include the narrower ones', async () => {
    const site = await startTestGatehouse({
      store,
      clock,
      scopes,
      defaultScopes: ['payment'],
      scopeHierarchy: { write: ['read'] },
      clients: [{ ...limited, scopes: ['write'] }],
    })
    running.push(site)
    const person = await createPerson(site)
    const asked = await person.authorize(bound, { scope: 'read payment' })
    expect((await redeem(site.send, bound, asked)).body.scope).toBe('read')
  })

  it('are not what a client registers for itself', async () => {
    const site = await startTestGatehouse({ store, clock, scopes, defaultScopes: ['read'] })
    running.push(site)
    const person = await createPerson(site)
    const own = await registerClient(site.send, { scope: 'read' })
    const tokens = await redeem(
      site.send,
      own,
      await person.authorize(own, { scope: 'read write' }),
    )
    expect(tokens.body.scope).toBe('read write')
  })
})

describe('descriptions that cannot be', () => {
  it.each([
    [{ id: 'a b' }, 'Client a b: id must be 3 to 128'],
    [{ secret: undefined }, 'Client chatgpt: secret is missing'],
    [{ tokenEndpointAuthMethod: 'none' }, 'Client chatgpt: secret contradicts'],
    [
      { tokenEndpointAuthMethod: 'none', secret: undefined, pkce: 'optional' },
      'Client chatgpt: pkce cannot be optional',
    ],
    [{ redirectUris: ['javascript:alert(1)'] }, 'Client chatgpt: redirectUris cannot be taken'],
    [{ redirectUris: [] }, 'Client chatgpt: redirectUris cannot be taken'],
    [{ scopes: [] }, 'Client chatgpt: scopes must name scopes'],
    [{ scopes: ['re"ad'] }, 'Client chatgpt: scopes must name scopes'],
    [{ scopes: ['unheard-of'] }, 'Client chatgpt: scopes names unheard-of, which does not exist'],
  ] as const)('%j are a TypeError', async (wrong, message) => {
    await expect(start({ ...described, ...wrong })).rejects.toThrow(message)
    await expect(start({ ...described, ...wrong })).rejects.toThrow(TypeError)
  })

  it('two with one id are a TypeError', async () => {
    await expect(start(described, described)).rejects.toThrow('Two clients have the id chatgpt')
  })
})
