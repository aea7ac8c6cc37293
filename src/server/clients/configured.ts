/**
 * Clients that the configuration describes, brought into the store at the start (H6, N1).
 *
 * Every instance does it, and whoever comes second finds nothing to change. What is changed in the configuration
 * holds from the next start on, and grants stay: they belong to the id. What is no longer described stays too,
 * because a mistyped file or an instance that is still on the old one would otherwise disconnect everybody.
 */
import type { Context } from '../../context.ts'
import { winRace } from '../../identity/races.ts'
import {
  findOwnClientProblem,
  type OwnClient,
  type OwnClientOptions,
  parseOwnClient,
} from '../../oauth/own-client.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import { configuredClients } from '../../storage/records/configured-clients.ts'
import { hashClientSecret } from './credentials.ts'
import { writeClient } from './register.ts'

/**
 * The clients that these options describe.
 *
 * @param scopes that exist; absent: not compared
 * @throws TypeError naming the client and what is wrong with it
 */
export function toOwnClients(
  options: readonly OwnClientOptions[] = [],
  scopes?: readonly string[],
): OwnClient[] {
  return options.map((one, index) => {
    const found = findOwnClientProblem(one)
    if (found) throw new TypeError(`Client ${one.id}: ${found.member} ${found.problem}`)
    const unknown = scopes && one.scopes?.find((name) => !scopes.includes(name))
    if (unknown !== undefined) {
      throw new TypeError(`Client ${one.id}: scopes names ${unknown}, which does not exist`)
    }
    if (options.findIndex(({ id }) => id === one.id) === index) return parseOwnClient(one)
    throw new TypeError(`Two clients have the id ${one.id}; give each its own`)
  })
}

/** Registers or updates what the configuration describes, and reports what it no longer does. */
export async function applyConfiguredClients(
  described: readonly OwnClient[],
  context: Context,
): Promise<void> {
  const entries = await context.store.get([
    configuredClients.key('self'),
    ...described.map(({ id }) => clients.key(id)),
  ])
  for (const [index, own] of described.entries()) {
    const stored = clients.decode(entries[index + 1])
    if (stored && isSame(stored.value, toClient(own, stored.value, context))) continue
    await winRace(() => tryApply(own, context))
  }
  const known = configuredClients.decode(entries[0])?.value.ids ?? []
  const ids = described.map(({ id }) => id)
  if (!hasSameIds(known, ids)) await winRace(() => tryNote(ids, context))
}

/** What a start does to one client; undefined when another start wrote at the same moment. */
async function tryApply(own: OwnClient, context: Context): Promise<true | undefined> {
  const { store, log, audit } = context
  const stored = await clients.find(store, own.id)
  const client = toClient(own, stored?.value, context)
  if (stored && isSame(stored.value, client)) return true
  const key = clients.key(own.id)
  const written = await store.commit({
    check: [{ key, version: stored?.version ?? null }],
    set: [writeClient(client)],
  })
  if (!written) return undefined
  const { client_name, redirect_uris } = client.metadata
  log.info(stored ? `Updated client: ${own.id}` : `Registered client: ${own.id}`)
  audit({
    event: stored ? 'client.updated' : 'client.registered',
    outcome: 'ok',
    clientId: own.id,
    details: { client_name, redirect_uris, mode: 'configured' },
  })
  return true
}

/** The record of a client; what its users did with it stays. */
function toClient(own: OwnClient, before: Client | undefined, context: Context): Client {
  const { id, secret, pkce, metadata } = own
  return {
    id,
    origin: 'preregistered',
    metadata,
    ...(secret !== undefined && { secretHash: hashClientSecret(secret, context) }),
    pkce,
    ...(before?.applicationId !== undefined && { applicationId: before.applicationId }),
    createdAt: before?.createdAt ?? context.clock.now(),
    ...(before?.authorizedAt !== undefined && { authorizedAt: before.authorizedAt }),
  }
}

function isSame(one: Client, other: Client): boolean {
  return toComparable(one) === toComparable(other)
}

function toComparable({ metadata, ...rest }: Client): string {
  const sort = (members: object) => Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([sort(rest), sort(metadata)])
}

/** Writes down which clients are described, and reports those that were and are still there. */
async function tryNote(ids: readonly string[], context: Context): Promise<true | undefined> {
  const { store, log } = context
  const known = await configuredClients.find(store, 'self')
  const before = known?.value.ids ?? []
  const others = before.filter((id) => !ids.includes(id))
  const entries = await store.get(others.map((id) => clients.key(id)))
  const left = others.filter((_, index) => entries[index] !== undefined)
  const noted = [...ids, ...left]
  if (!hasSameIds(before, noted)) {
    const key = configuredClients.key('self')
    const written = await store.commit({
      check: [{ key, version: known?.version ?? null }],
      set: [configuredClients.write(key, { ids: noted })],
    })
    if (!written) return undefined
  }
  for (const id of left) {
    log.warn(
      `Client ${id} is no longer in the configuration and still works; remove it with: gatehouse clients remove ${id}`,
      { client_id: id },
    )
  }
  return true
}

function hasSameIds(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id) => others.includes(id))
}
