/**
 * The store of a deployment on its first day: keys made, the resource server's own client registered.
 *
 * Made once and copied for every schedule, because making keys takes real time and real randomness.
 */
import { createGatehouse } from '../../src/gatehouse.ts'
import { parseClientMetadata } from '../../src/oauth/client-metadata.ts'
import type { GatehouseOptions } from '../../src/options.ts'
import { registerClient } from '../../src/server/clients/register.ts'
import { memoryStore } from '../../src/storage/memory.ts'
import type { Entry } from '../../src/storage/store.ts'
import { keptLog, masterKey, noLimits, testClock } from '../helpers/gatehouse.ts'

/** Unix seconds at which every schedule begins. */
export const startOfTime = 1_800_000_000

export const issuer = 'https://mcp.example.com'

/** The client that may ask about every token. */
export const resourceServer = { id: 'resource-server', secret: 'the resource server knows this' }

/** The options that all processes share. */
export const deployment = {
  issuer,
  backends: [{ name: 'Notes', to: 'http://127.0.0.1:9/mcp' }],
  masterKey,
  scopes: { 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' },
  limits: noLimits,
} satisfies Partial<GatehouseOptions>

let rows: Promise<readonly Entry[]> | undefined

/** The rows of the template; nothing in it expires. */
export function readTemplate(): Promise<readonly Entry[]> {
  rows ??= makeTemplate()
  return rows
}

async function makeTemplate(): Promise<readonly Entry[]> {
  const clock = testClock(startOfTime - 60)
  const store = memoryStore({ clock })
  const gatehouse = await createGatehouse({
    ...deployment,
    store,
    clock,
    log: keptLog(),
    audit: () => {},
  })
  const metadata = parseClientMetadata({
    client_name: 'Resource server',
    redirect_uris: ['https://resource.example/callback'],
    token_endpoint_auth_method: 'client_secret_post',
  })
  await registerClient(metadata, { origin: 'preregistered', ...resourceServer }, gatehouse.context)
  await gatehouse.close()
  return store.list('', { limit: 1000 })
}
