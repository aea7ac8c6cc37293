/** `gatehouse keys`: the keys that sign tokens, and those that seal what is secret in the store. */
import type { AuditEvent } from '../platform/ports.ts'
import { createRotationRules } from '../signing.ts'
import { signingKeys } from '../storage/records/key.ts'
import {
  findSealingKey,
  type Resealing,
  resealings,
  toActiveAt,
  vaults,
} from '../storage/records/vault.ts'
import { rotateDataKey } from '../storage/sealed-rotation.ts'
import type { Commit } from '../storage/store.ts'
import { type KeyTime, listKeys, toTime } from '../tokens/key-records.ts'
import {
  findRemoval,
  findSigner,
  keySetCacheSeconds,
  type RotationRules,
  revokeKey,
  rotateKey,
} from '../tokens/key-rotation.ts'
import { findId, listWritten, noteInAudit } from './audit-trail.ts'
import { exitUsage, toFailure } from './failure.ts'
import { type Installation, withInstallation } from './installation.ts'
import { print, renderTable, renderTime } from './output.ts'
import { type DataOptions, loadSettings } from './settings.ts'

/** Options of `keys list`. */
export interface KeyListOptions extends DataOptions {
  json?: boolean
}

/** Options of `keys rotate`. */
export interface KeyRotateOptions extends DataOptions {
  /** Sign with the new key in ten seconds. */
  now?: boolean
  /** Renew the key that seals the store, not the one that signs. */
  dataKey?: boolean
}

/** Lists signing keys and data keys, and how far re-sealing has come. */
export async function listAllKeys(options: KeyListOptions): Promise<void> {
  const rules = createRotationRules(loadSettings(options))
  await withInstallation({ ...options, mustExist: true }, async (installation) => {
    const signing = await findSigningRows(installation, rules)
    const data = await findDataRows(installation)
    const resealing = (await resealings.find(installation.store, 'self'))?.value
    if (options.json) {
      const walk = resealing ? toWalk(resealing) : null
      const all = { signing_keys: signing, data_keys: data, resealing: walk }
      return print(JSON.stringify(all, undefined, 2))
    }
    print('Signing keys', '', renderSigning(signing), '', 'Data keys', '', renderData(data))
    if (resealing) print('', renderWalk(resealing))
  })
}

/** Makes the next signing key, or the next data key. */
export async function rotateKeys(options: KeyRotateOptions): Promise<void> {
  if (options.now && options.dataKey) {
    const why = 'a data key is never urgent: values change over to it in the background'
    throw toFailure(`--now goes with signing keys only; ${why}`, exitUsage)
  }
  const { algorithm } = createRotationRules(loadSettings(options))
  await withInstallation({ ...options, mustExist: true }, async (opened) => {
    const installation = noteInAudit(opened, listKeyEvents)
    if (options.dataKey) {
      const id = await rotateDataKey(installation)
      print(`Data key ${id} seals new values in five minutes; older values follow by themselves.`)
      return print('See how far they are: gatehouse keys list')
    }
    const isUrgent = options.now ?? false
    const made = await rotateKey(installation, algorithm, isUrgent)
    if (!made) throw toFailure('Other processes kept changing the keys; try again')
    print(`Signing key ${made.kid} signs from ${renderTime(made.activeAt)} UTC on`)
    if (isUrgent)
      print('Backends that verify tokens themselves may refuse its tokens for 5 minutes')
  })
}

/** Removes a signing key that may be known to somebody else, with every token it signed. */
export async function revokeSigningKey(kid: string, options: DataOptions): Promise<void> {
  const { algorithm } = createRotationRules(loadSettings(options))
  await withInstallation({ ...options, mustExist: true }, async (opened) => {
    const installation = noteInAudit(opened, listKeyEvents)
    const change = await revokeKey(installation, kid, algorithm)
    if (!change) throw toFailure('Other processes kept changing the keys; try again')
    if (!change.removed) {
      throw toFailure(`There is no signing key ${kid}; see: gatehouse keys list`)
    }
    const left = (await listKeys(installation.store)).map(({ value }) => toTime(value))
    const signer = findSigner(left, algorithm, installation.clock.now())
    print(`Revoked signing key ${kid}: its tokens are refused, and clients refresh`)
    if (signer) print(`Signing key ${signer.kid} signs`)
    const minutes = keySetCacheSeconds / 60
    print(
      `Backends that verify tokens themselves may go by the old key set for ${minutes} minutes: restart them`,
    )
  })
}

/** What a commit does to keys; the id of a data key is told by `gatehouse keys list`. */
function listKeyEvents(change: Commit): AuditEvent[] {
  const written = listWritten(change)
  const made = findId(written, signingKeys.prefix)
  const removed = findId(change.delete ?? [], signingKeys.prefix)
  const isDataKey = written.includes(vaults.key('self'))
  return [
    ...(made === undefined ? [] : [toKeyEvent('key.made', { kid: made, for: 'signing' })]),
    ...(isDataKey ? [toKeyEvent('key.made', { for: 'sealing' })] : []),
    ...(removed === undefined ? [] : [toKeyEvent('key.revoked', { kid: removed })]),
  ]
}

function toKeyEvent(
  event: 'key.made' | 'key.revoked',
  details: Record<string, unknown>,
): AuditEvent {
  return { event, outcome: 'ok', details }
}

async function findSigningRows({ store, clock }: Installation, rules: RotationRules) {
  const keys = (await listKeys(store)).map(({ value }) => toTime(value))
  const now = clock.now()
  const signer = findSigner(keys, rules.algorithm, now)
  return keys.map((key) => ({
    kid: key.kid,
    algorithm: key.alg,
    state: toSigningState(key, signer, now),
    created_at: key.createdAt,
    active_at: key.activeAt,
    removed_at: findRemoval(key, keys, rules) ?? null,
  }))
}

function toSigningState(key: KeyTime, signer: KeyTime | undefined, now: number): string {
  if (key === signer) return 'signs'
  return key.activeAt > now ? 'published' : 'verifies'
}

async function findDataRows({ store, clock }: Installation) {
  const keys = (await vaults.find(store, 'self'))?.value.dataKeys ?? []
  const now = clock.now()
  const current = findSealingKey(keys, now)
  const toState = (key: (typeof keys)[number]): string => {
    if (key === current) return 'seals'
    return toActiveAt(key) > now ? 'published' : 'opens'
  }
  return keys.map((key) => ({
    id: key.id,
    state: toState(key),
    created_at: key.createdAt,
    active_at: toActiveAt(key),
  }))
}

function renderSigning(rows: Awaited<ReturnType<typeof findSigningRows>>): string {
  if (rows.length === 0) return 'None yet: the server makes the first one when it starts'
  const columns = ['KID', 'ALGORITHM', 'STATE', 'MADE', 'SIGNS FROM', 'REMOVED FROM']
  const cells = rows.map((row) => [
    row.kid,
    row.algorithm,
    row.state,
    renderTime(row.created_at),
    renderTime(row.active_at),
    row.removed_at === null ? '' : renderTime(row.removed_at),
  ])
  return renderTable([columns, ...cells], process.stdout.columns)
}

function renderData(rows: Awaited<ReturnType<typeof findDataRows>>): string {
  const columns = ['ID', 'STATE', 'MADE', 'SEALS FROM']
  const cells = rows.map((row) => [
    row.id,
    row.state,
    renderTime(row.created_at),
    renderTime(row.active_at),
  ])
  return renderTable([columns, ...cells], process.stdout.columns)
}

function toWalk(walk: Resealing) {
  return {
    data_key: walk.dataKeyId,
    started_at: walk.startedAt,
    finished_at: walk.finishedAt ?? null,
    seen: walk.seen,
    resealed: walk.resealed,
    left: walk.left,
  }
}

function renderWalk({ dataKeyId, seen, resealed, left, finishedAt }: Resealing): string {
  const counts = `${resealed} of ${seen} records brought under ${dataKeyId}`
  if (finishedAt === undefined) return `Re-sealing goes on: ${counts} so far`
  const rest = left === 0 ? 'none is left' : `${left} still need an older key`
  return `Re-sealing was through at ${renderTime(finishedAt)}: ${counts}, ${rest}`
}
