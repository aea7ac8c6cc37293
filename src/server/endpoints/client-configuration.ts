/**
 * GET|PUT|DELETE /register/:client_id: a client reads, replaces or removes its own registration with the
 * token it got when it registered (RFC 7592).
 *
 * Not for clients that the owner registered or that several parties share: they have no such token. The
 * token stays the same for the client's life, so that an answer that got lost locks nobody out.
 */
import type { Endpoint, RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { findAccessTokenSeconds } from '../../identity/grant-ending.ts'
import { winRace } from '../../identity/races.ts'
import { type ClientMetadata, parseClientMetadata } from '../../oauth/client-metadata.ts'
import { equalInConstantTime } from '../../platform/crypto.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import type { AuditEventName } from '../../platform/ports.ts'
import type { Client } from '../../storage/records/client.ts'
import { hashClientSecret } from '../clients/credentials.ts'
import { removeApplication } from '../clients/management.ts'
import { createClientSecret, type NewClient, writeClient } from '../clients/register.ts'
import { toRegistrationAnswer } from '../clients/registration-answer.ts'
import { auditRegistrationRefusal } from '../clients/registration-audit.ts'
import { verifyRegistrationToken } from '../clients/registration-token.ts'
import { removeClient } from '../clients/remove.ts'
import { readJson, toJson } from '../respond.ts'

/** What a client asks to become. */
interface Replacement {
  readonly metadata: ClientMetadata
  readonly clientId: unknown
  /** The secret it says it has, if it says so. */
  readonly secret: unknown
}

/** Answers with the registration as it is in force (RFC 7592 §2.1). A secret is never told twice. */
export const readClient: Endpoint = async (request, context) => {
  const { stored, token } = await verifyRegistrationToken(request, context)
  const known = { client: stored.value, secret: undefined, registrationToken: token }
  return toJson(toRegistrationAnswer(known, context.config))
}

/**
 * Replaces the registration (RFC 7592 §2.2): what the request leaves out is gone, and it is read as
 * leniently as the first one. The members that a client should not send back are ignored.
 */
export const updateClient: Endpoint = async (request, context) => {
  const { value: client } = (await verifyRegistrationToken(request, context)).stored
  await context.limits.spend('register', toPeerNetwork(context.exchange.peer))
  try {
    const replacement = await readReplacement(context)
    const updated = await winRace(() => tryUpdate(request, replacement, context))
    audit('client.updated', updated.client, context)
    return toJson(toRegistrationAnswer(updated, context.config))
  } catch (error) {
    auditRegistrationRefusal(error, context, client.id)
    throw error
  }
}

/** Removes the client; its tokens are refused from now on (RFC 7592 §2.3). */
export const deleteClient: Endpoint = async (request, context) => {
  const { value: client } = (await verifyRegistrationToken(request, context)).stored
  const { store, clock, config } = context
  const configured = config.lifetimes.accessTokenSeconds
  await removeClient(client.id, {
    store,
    clock,
    accessTokenSeconds: await findAccessTokenSeconds(store, configured),
    onEnded: ({ id, userId }) => {
      context.revocations.add(id)
      context.audit({
        event: 'grant.ended',
        outcome: 'ok',
        reason: 'client_removed',
        grantId: id,
        clientId: client.id,
        userId,
      })
    },
  })
  audit('client.removed', client, context)
  await removeApplication(client, context)
  return { status: 204, headers: { 'cache-control': 'no-store' } }
}

async function readReplacement(context: RequestContext): Promise<Replacement> {
  const body = await readJson(context)
  const metadata = parseClientMetadata(body)
  const members = new Map<string, unknown>(Object.entries(body ?? {}))
  return { metadata, clientId: members.get('client_id'), secret: members.get('client_secret') }
}

/** Undefined when the client was written meanwhile: it may be authorized by now, or gone. */
async function tryUpdate(
  request: Request,
  replacement: Replacement,
  context: RequestContext,
): Promise<NewClient | undefined> {
  const { stored, token } = await verifyRegistrationToken(request, context)
  verifyOwnMembers(replacement, stored.value, context)
  const { client, secret } = toUpdated(stored.value, replacement.metadata, context)
  const written = await context.store.commit({
    check: [{ key: stored.key, version: stored.version }],
    set: [writeClient(client)],
  })
  return written ? { client, secret, registrationToken: token } : undefined
}

/** The id must be its own; a secret may be repeated and never chosen (RFC 7592 §2.2). */
function verifyOwnMembers(
  { clientId, secret }: Replacement,
  client: Client,
  context: RequestContext,
): void {
  if (clientId !== client.id) {
    throw refuse('Member client_id must be the id of this client', 'client_id_mismatch')
  }
  if (secret === undefined || secret === null || secret === '') return
  const presented = typeof secret === 'string' ? hashClientSecret(secret, context) : ''
  if (equalInConstantTime(presented, client.secretHash ?? '-')) return
  throw refuse(
    'Member client_secret must be the current secret: leave it out, it cannot be chosen',
    'client_secret_mismatch',
  )
}

/** A client that becomes confidential gets a secret; one that becomes public loses it. */
function toUpdated(
  { secretHash, ...client }: Client,
  metadata: ClientMetadata,
  context: RequestContext,
): { client: Client; secret: string | undefined } {
  const updated = { ...client, metadata, renewedAt: context.clock.now() }
  if (metadata.token_endpoint_auth_method === 'none') return { client: updated, secret: undefined }
  const secret = secretHash === undefined ? createClientSecret(context) : undefined
  const hash = secret === undefined ? secretHash : hashClientSecret(secret, context)
  return { client: { ...updated, ...(hash !== undefined && { secretHash: hash }) }, secret }
}

function audit(event: AuditEventName, client: Client, context: RequestContext): void {
  const { client_name, redirect_uris } = client.metadata
  const details = { client_name, redirect_uris }
  context.audit({ event, outcome: 'ok', clientId: client.id, details })
}

function refuse(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description, { reason })
}
