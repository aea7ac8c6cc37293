/** How a life begins: the deployment, its people and its client, written once and copied for each life. */
import { scryptSync } from 'node:crypto'
import { OAuthError } from '../../src/errors.ts'
import type { Upstream } from '../../src/identity/upstream.ts'
import type { Gatehouse, GatehouseOptions } from '../../src/options.ts'
import type { Metrics } from '../../src/platform/ports.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import { users } from '../../src/storage/records/user.ts'
import type { ListedEntry, Store } from '../../src/storage/store.ts'
import { startTestGatehouse, testClock } from '../helpers/gatehouse.ts'
import { type Registered, registerClient } from '../helpers/oauth-client.ts'
import { ada, bob } from '../helpers/site.ts'

/** How people sign in; `set-up`: nobody has an account yet. */
export type SignIn = 'password' | 'provider' | 'nobody' | 'set-up'

/** What a deployment is made of besides store and clock. */
export function toSettings(
  signIn: SignIn,
  hasGate: boolean,
  declines: () => boolean,
): Partial<GatehouseOptions> {
  const notes = { name: 'Notes', identity: 'headers' as const }
  return {
    backends: [hasGate ? { ...notes, to: 'http://127.0.0.1:9/mcp' } : notes],
    fetch: async () => Response.json({ jsonrpc: '2.0', id: 1, result: {} }),
    metrics: noMetrics,
    ...(signIn === 'provider' && { upstreams: [toProvider(declines)] }),
    ...(signIn === 'nobody' && { issuer: 'http://127.0.0.1:8080', noSignIn: true }),
  }
}

/** A registry for every one of many processes costs more than the rest of its start. */
const noMetrics: Metrics = {
  count: () => {},
  time: () => {},
  gauge: () => {},
  expose: async () => ({ body: '', contentType: 'text/plain' }),
}

/** A provider that sends everybody straight back. */
function toProvider(declines: () => boolean): Upstream {
  return {
    id: 'instant',
    label: 'Instant',
    start: async ({ state, redirectUri }) => new URL(`${redirectUri}?state=${state}&code=1`),
    finish: async () => {
      if (!declines()) return { subject: '1', login: 'ada' }
      throw new OAuthError('access_denied', 'The sign-in at Instant was not completed', {
        reason: 'upstream_denied',
      })
    },
  }
}

/** What a store holds before anything fails. */
export interface Template {
  readonly rows: readonly ListedEntry[]
  readonly client: Registered
  readonly adaId: string
  readonly setUpLink: string
}

const templates = new Map<SignIn, Promise<Template>>()

/** The template of a way to sign in, written once. */
export function readTemplate(signIn: SignIn): Promise<Template> {
  const template = templates.get(signIn) ?? writeTemplate(signIn)
  templates.set(signIn, template)
  return template
}

async function writeTemplate(signIn: SignIn): Promise<Template> {
  const clock = testClock()
  const store = memoryStore({ clock })
  const running = await startTestGatehouse({
    ...toSettings(signIn, false, () => false),
    store,
    clock,
  })
  const adaId = signIn === 'password' ? await addPeople(running.gatehouse) : ''
  const client = await registerClient(running.send, {
    token_endpoint_auth_method: 'client_secret_post',
  })
  const setUpLink = (await running.gatehouse.createSetupLink()) ?? ''
  await running.close()
  return { rows: await listAll(store), client, adaId, setUpLink }
}

/** Ada and Bob, whose passwords were hashed at next to no cost: a stored hash says what it cost. */
async function addPeople({ context }: Gatehouse): Promise<string> {
  const salt = Buffer.alloc(16)
  const add = async ({ email, password }: typeof ada): Promise<string> => {
    const { record } = await context.users.addLocal(email, password, 'user')
    const hash = scryptSync(password, salt, 32, { N: 2, r: 1, p: 1 })
    const text = ['scrypt', 2, 1, 1, salt.toString('base64url'), hash.toString('base64url')]
    const { id } = record.value
    const sealedPassword = context.sealer.seal('user-password', id, text.join('$'))
    const cheap = users.write(record.key, { ...record.value, sealedPassword })
    await context.store.commit({ set: [cheap] })
    return id
  }
  await add(bob)
  return add(ada)
}

/** Every row of a store. */
export async function listAll(store: Store): Promise<ListedEntry[]> {
  return store.list('', { limit: 10_000 })
}
