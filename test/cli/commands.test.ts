import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import {
  clientGrants,
  endedGrants,
  type Grant,
  grants,
  userGrants,
} from '../../src/storage/records/grant.ts'
import { installations } from '../../src/storage/records/key.ts'
import { sqliteStore } from '../../src/storage/sqlite.ts'
import type { Store } from '../../src/storage/store.ts'
import { createFolder, type RunOptions, runCommand, startCommand } from './command.ts'

let folder: string
beforeEach(async () => {
  const created = await createFolder()
  folder = created.folder
  return created.remove
})

const password = 'correct horse battery'
const data = (): string => join(folder, 'data')
const run = (args: string[], options?: RunOptions) =>
  runCommand([...args, '--data', data()], options)

async function runWell(args: string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, options)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return stdout
}

async function list(what: 'users' | 'clients' | 'grants', ...args: string[]) {
  return JSON.parse(await runWell([what, 'list', '--json', ...args]))
}

/** Opens the same file as the commands, as the server would. */
async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await sqliteStore({ path: join(data(), 'gatehouse.db'), clock: systemClock })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function addGrant(userId: string, clientId: string): Promise<string> {
  const now = systemClock.now()
  const id = `grant-${clientId}`
  const grant: Grant = {
    id,
    userId,
    clientId,
    resource: 'http://localhost:8787/mcp',
    scope: 'notes:read',
    requestedScope: 'notes:read',
    createdAt: now,
    expiresAt: now + 86_400,
    storedUntil: now + 86_400,
  }
  await withStore((store) =>
    store.commit({
      set: [
        grants.write(grants.key(id), grant),
        userGrants.write(userGrants.key(userId, id), { clientId }),
        clientGrants.write(clientGrants.key(clientId, id), { userId }),
      ],
    }),
  )
  return id
}

async function addOwner(email = 'ada@example.com'): Promise<string> {
  await runWell(['users', 'add', email, '--password-stdin'], { input: `${password}\n` })
  const users: { login: string; id: string }[] = await list('users')
  return users.find(({ login }) => login === email)?.id ?? ''
}

describe('gatehouse users', () => {
  it('adds, lists, changes and removes; the first one is the owner', async () => {
    await addOwner()
    await addOwner('grace@example.com')
    expect(await list('users')).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ login: 'ada@example.com', role: 'owner', upstream: 'local' }),
        expect.objectContaining({ login: 'grace@example.com', role: 'user' }),
      ]),
    )
    expect(await runWell(['users', 'list'])).toMatch(
      /^LOGIN +NAME +ROLE +SIGNS IN WITH +ADDED +ID\n/,
    )
    const changed = await runWell(['users', 'passwd', 'ada@example.com', '--password-stdin'], {
      input: 'another long password',
    })
    expect(changed).toContain('Changed the password of ada@example.com')
    await runWell(['users', 'remove', 'ada@example.com'])
    expect(await list('users')).toHaveLength(1)
  }, 60_000)

  it('refuses a short password and a taken address in one line', async () => {
    const short = await run(['users', 'add', 'a@example.com', '--password-stdin'], {
      input: 'short',
    })
    expect(short).toMatchObject({ code: 1, stdout: '' })
    expect(short.stderr).toMatch(/^Error: The password must have 10 to 200 characters\n$/)
    await addOwner()
    const taken = await run(['users', 'add', 'ADA@example.com', '--password-stdin'], {
      input: password,
    })
    expect(taken.code).toBe(1)
    expect(taken.stderr).toMatch(/^Error: There is already a user with this e-mail address\n$/)
  }, 30_000)

  it('never takes a password as an argument, and asks only at a terminal', async () => {
    const { code, stderr } = await run(['users', 'add', 'a@example.com'])
    expect(code).toBe(1)
    expect(stderr).toContain('--password-stdin')
    expect((await run(['users', 'add', 'a@example.com', 'secret'])).code).toBe(2)
  }, 30_000)

  it('leaves apps connected when a password changes, unless asked to end them', async () => {
    const id = await addOwner()
    await addGrant(id, 'mcp_1')
    await addGrant(id, 'mcp_2')
    const change = (...more: string[]) =>
      runWell(['users', 'passwd', 'ada@example.com', '--password-stdin', ...more], {
        input: 'horse battery staple\n',
      })
    expect(await change()).toContain('Connected apps stay; end them as well with --end-grants')
    expect(await list('grants')).toHaveLength(2)
    expect(await change('--end-grants')).toContain('2 connected apps ended')
    expect(await list('grants')).toEqual([])
    expect(await withStore((store) => endedGrants.list(store))).toHaveLength(2)
  })

  it('ends the grants of a removed user', async () => {
    const userId = await addOwner()
    const grantId = await addGrant(userId, 'mcp_1')
    expect(await runWell(['users', 'remove', userId])).toContain('1 connected app ended')
    await withStore(async (store) => {
      expect((await endedGrants.find(store, grantId))?.value.why).toBe('user_removed')
    })
  }, 30_000)
})

describe('gatehouse clients', () => {
  const redirectUri = 'https://chatgpt.com/connector_platform_oauth_redirect'
  const add = ['clients', 'add', '--redirect-uri', redirectUri]

  it('registers a client by hand and prints what to type into ChatGPT (H6)', async () => {
    const env = { SERVER_URL: 'https://mcp.example.com' }
    const printed = await runWell([...add, '--name', 'ChatGPT'], { env })
    expect(printed).toMatch(/Client ID +mcp_[0-9a-f]{32}\n/)
    expect(printed).toMatch(/Client secret +[0-9a-f]{64}\n/)
    expect(printed).toMatch(/Authorization URL +https:\/\/mcp\.example\.com\/authorize\n/)
    expect(printed).toMatch(/Token URL +https:\/\/mcp\.example\.com\/token\n/)
    expect(await list('clients')).toMatchObject([
      {
        client_name: 'ChatGPT',
        origin: 'preregistered',
        redirect_uris: [redirectUri],
        pkce: 'required',
        token_endpoint_auth_method: 'client_secret_post',
      },
    ])
    expect(JSON.stringify(await list('clients'))).not.toMatch(/secret"|hash/i)
  }, 30_000)

  it('takes the id, the secret and the PKCE rule that the owner chose', async () => {
    const chosen = [...add, '--id', 'chatgpt', '--secret-stdin', '--pkce', 'optional', '--json']
    const input = 'a-secret-of-my-own-choice\n'
    const printed = JSON.parse(await runWell(chosen, { input }))
    expect(printed).toMatchObject({ client_id: 'chatgpt', client_secret: input.trim() })
    expect(await list('clients')).toMatchObject([{ client_id: 'chatgpt', pkce: 'optional' }])
    const again = await run(chosen, { input })
    expect(again).toMatchObject({ code: 1 })
    expect(again.stderr).toContain('The client id chatgpt is taken')
  }, 30_000)

  it('refuses what makes no sense', async () => {
    const refused: [string[], string | undefined, string][] = [
      [[...add, '--public', '--secret-stdin'], 'x'.repeat(30), 'A public client has no secret'],
      [[...add, '--public', '--pkce', 'optional'], undefined, 'always uses PKCE'],
      [[...add, '--id', 'a/b'], undefined, '--id must be 3 to 128'],
      [[...add, '--secret-stdin'], 'short', 'at least 16 characters'],
      [['clients', 'add', '--redirect-uri', 'javascript:alert(1)'], undefined, 'javascript'],
    ]
    for (const [args, input, words] of refused) {
      const { code, stderr } = await run(args, { input: input ?? '' })
      expect(code).toBeGreaterThan(0)
      expect(stderr).toContain(words)
    }
  }, 30_000)

  it('shows and removes a client, and ends its grants', async () => {
    await runWell([...add, '--id', 'one', '--public'])
    const userId = await addOwner()
    const grantId = await addGrant(userId, 'one')
    expect(await runWell(['clients', 'show', 'one'])).toMatch(
      /redirect_uris +https:.*\n[^]*grants +1/,
    )
    expect(await runWell(['clients', 'remove', 'one'])).toBe('Removed one; one grant ended\n')
    expect(await list('clients')).toEqual([])
    await withStore(async (store) => {
      expect((await endedGrants.find(store, grantId))?.value.why).toBe('client_removed')
    })
    expect(await run(['clients', 'show', 'one'])).toMatchObject({
      code: 1,
      stderr: 'Error: There is no client one; see: gatehouse clients list\n',
    })
  }, 30_000)

  it('finishes a removal that was cut short after the client had gone', async () => {
    const userId = await addOwner()
    const grantId = await addGrant(userId, 'one')
    expect(await runWell(['clients', 'remove', 'one'])).toBe('Removed one; one grant ended\n')
    await withStore(async (store) => {
      expect((await endedGrants.find(store, grantId))?.value.why).toBe('client_removed')
    })
    expect((await run(['clients', 'remove', 'one'])).code).toBe(1)
  }, 30_000)
})

describe('gatehouse grants', () => {
  it('lists who allowed what to whom, and revokes', async () => {
    const userId = await addOwner()
    const first = await addGrant(userId, 'mcp_1')
    const second = await addGrant(userId, 'mcp_2')
    expect(await list('grants')).toHaveLength(2)
    expect(await list('grants', '--client', 'mcp_2')).toMatchObject([{ id: second }])
    expect(await list('grants', '--user', 'ada@example.com')).toHaveLength(2)
    expect(await list('grants', '--user', 'nobody')).toEqual([])
    expect(await runWell(['grants', 'list'])).toContain('ada@example.com')

    const missing = await run(['grants', 'revoke', first, 'nope'])
    expect(missing.stderr).toBe(
      'Error: There is no grant nope; nothing was revoked. See: gatehouse grants list\n',
    )
    expect(await list('grants')).toHaveLength(2)
    expect(await runWell(['grants', 'revoke', first, second])).toBe('Revoked 2 grants\n')
    expect(await list('grants')).toEqual([])
    await withStore(async (store) => {
      expect((await endedGrants.find(store, first))?.value.why).toBe('revoked')
      expect(await userGrants.list(store, [userId])).toEqual([])
    })
  }, 60_000)
})

describe('gatehouse admin-token', () => {
  it('prints a token once, keeps its hash, and replaces the one before', async () => {
    await addOwner()
    expect((await run(['admin-token'])).stderr).toContain('run gatehouse serve once')
    const key = installations.key('self')
    const fresh = { issuer: 'http://localhost:8787', createdAt: 1 }
    await withStore((store) => store.commit({ set: [installations.write(key, fresh)] }))
    const first = await runWell(['admin-token'])
    expect(first).toMatch(/^gha_[\w-]{43}\n$/)
    const readHash = () =>
      withStore(async (store) => (await installations.find(store, 'self'))?.value.adminTokenHash)
    const firstHash = await readHash()
    expect(firstHash).toMatch(/^[\w-]{43}$/)
    expect(await runWell(['admin-token'])).not.toBe(first)
    expect(await readHash()).not.toBe(firstHash)
  }, 30_000)
})

describe('every command', () => {
  it('says which folder is missing instead of making an empty one', async () => {
    for (const what of ['users', 'clients', 'grants']) {
      const { code, stderr } = await run([what, 'list'])
      expect(code).toBe(1)
      expect(stderr).toContain(`There is no data folder ${data()}`)
    }
  }, 30_000)

  it('lists all problems of the configuration, exit code 2', async () => {
    const file = join(folder, 'gatehouse.yaml')
    await writeFile(file, 'prot: 1\nhots: x\n')
    const { code, stderr } = await run(['users', 'list', '--config', file])
    expect(code).toBe(2)
    expect(stderr).toContain('the configuration has 2 problems:\n')
    expect(stderr).toContain(`  ${file}:1:7: prot is not a setting; did you mean port?\n`)
  })

  it('takes an id that begins with a hyphen for what it is', async () => {
    await addOwner()
    const ids = ['-h_8PNJlBTXmSYcYhbRiq4', '-d8PNJlBTXmSYcYhbRiq4g']
    const revoked = await run(['grants', 'revoke', ...ids])
    expect(revoked.stderr).toContain(`There is no grant ${ids.join(', ')}; nothing was revoked`)
    const kid = '-VHPNJlBTXmSYcYhbRiq4kbDy-hGBZErb7B8V6i2ifE'
    expect((await run(['keys', 'revoke', kid])).stderr).toContain(`There is no signing key ${kid}`)
    expect(await run(['grants', 'list', '--user', ids[0] ?? ''])).toMatchObject({ code: 0 })
  }, 30_000)

  it('does not mind a reader that stops reading', async () => {
    await addOwner()
    const { child, ended } = startCommand(['users', 'list', '--data', data()])
    child.stdout.destroy()
    expect((await ended).stderr).toBe('')
  }, 30_000)

  it('says that the master key is wrong without a stack, unless asked for it', async () => {
    await addOwner()
    const env = { TOKEN_ENCRYPTION_KEY: 'another master key, of forty characters' }
    const { code, stderr } = await run(['users', 'list'], { env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Error: .*master key/i)
    expect(stderr).not.toContain('    at ')
    const debug = { ...env, GATEHOUSE_DEBUG: 'true' }
    expect((await run(['users', 'list'], { env: debug })).stderr).toContain('    at ')
  }, 30_000)
})
