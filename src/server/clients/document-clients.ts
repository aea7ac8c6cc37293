/**
 * Clients whose id is the URL of a metadata document (MCP authorization, Client ID Metadata Documents).
 *
 * A new authorization reads the document, when what is stored of it is no longer fresh; everything later,
 * the rest of the journey, code, refresh and revocation, goes by what is stored. So a flow sees one version
 * from its page to its tokens (CM-24), and a web site that is down stops nobody who is connected (CM-17).
 */
import type { RequestContext } from '../../context.ts'
import { OAuthError } from '../../errors.ts'
import { winRace } from '../../identity/races.ts'
import {
  addRedirectUris,
  type ParsedDocument,
  parseClientDocument,
} from '../../oauth/client-document.ts'
import { isDocumentClientId, toDocumentHost } from '../../oauth/document-client-id.ts'
import { toLimitProblem } from '../../platform/document-reader.ts'
import { toKeptSeconds } from '../../platform/freshness.ts'
import { toPeerNetwork } from '../../platform/peer-network.ts'
import type { FetchedDocument, FetchProblem } from '../../platform/pinned-fetch.ts'
import { findPinnedDocument } from '../../profiles/pinned-documents.ts'
import { type Client, clients } from '../../storage/records/client.ts'
import type { Stored } from '../../storage/records/record.ts'
import { writeClient } from './register.ts'

/** For how long a document holds (CM-18). */
const documentFreshness = { leastSeconds: 60, mostSeconds: 86_400, usualSeconds: 3600 }
/** A copy of ours stands in for so long before the original is tried again, in seconds. */
const copyFreshSeconds = 300

/** Whether a client id is the URL of a document that may be read here. */
export function isReadableDocument(
  id: string,
  { config }: Pick<RequestContext, 'config'>,
): boolean {
  const rule = config.clientMetadataDocuments
  if (rule === undefined || !isDocumentClientId(id)) return false
  return rule.hosts === undefined || rule.hosts.includes(toDocumentHost(id))
}

/**
 * The client of such an id, as a new authorization sees it.
 *
 * @param known what is stored of it
 * @throws OAuthError `invalid_client` (400, a page) when it cannot be verified; 429 when too many were read
 */
export async function resolveDocumentClient(
  id: string,
  known: Stored<Client> | undefined,
  context: RequestContext,
): Promise<Stored<Client>> {
  if (known && isSettled(known.value, context)) return known
  const reading = context.documents.read(id, toPeerNetwork(context.exchange.peer))
  const outcome = await reading.catch(async (error: unknown) => {
    const problem = toLimitProblem(error)
    if (await hasSubstitute(id, known?.value, context)) return problem
    throw error
  })
  if ('problem' in outcome) return replaceDocument(id, { known, problem: outcome }, context)
  return keepDocument(id, readDocument(id, outcome, context), context)
}

/** Nothing to read: it is fresh, or its owner registered this id by hand. */
function isSettled({ document }: Client, { clock }: RequestContext): boolean {
  return document === undefined || clock.now() < document.freshUntil
}

/**
 * Whether something stands in for a document that our own limits keep us from reading, so that nobody uses
 * them up to lock the users of a client out: what is stored, for a day; for large vendors a copy.
 *
 * @throws OAuthError `temporarily_unavailable` with status 429 where copies of made-up ids would fill the store
 */
async function hasSubstitute(
  id: string,
  known: Client | undefined,
  context: RequestContext,
): Promise<boolean> {
  const copy = findPinnedDocument(id)
  if (known && (copy || isRecent(known, context))) return true
  if (copy?.isOnlyOne === false) {
    await context.documents.verifyBudget(toPeerNetwork(context.exchange.peer))
  }
  return copy !== undefined
}

/** No older than a document may be whose server says the most. */
function isRecent({ renewedAt = 0 }: Client, { clock }: RequestContext): boolean {
  return clock.now() < renewedAt + documentFreshness.mostSeconds
}

/** A document, and for how long it holds. */
interface KeptDocument {
  readonly document: ParsedDocument
  readonly freshSeconds: number
}

function readDocument(
  id: string,
  { text, freshSeconds: said }: FetchedDocument,
  context: RequestContext,
): KeptDocument {
  try {
    const freshSeconds = toKeptSeconds(said, documentFreshness)
    return { document: parseDocument(id, text), freshSeconds }
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    context.documents.dismiss(id)
    const { description } = error
    context.log.warn('A client metadata document is refused', { client_id: id, description })
    throw refuse(`The description of this app at ${toDocumentHost(id)} is not valid`, error)
  }
}

function parseDocument(id: string, text: string): ParsedDocument {
  return addRedirectUris(
    parseClientDocument(id, text),
    findPinnedDocument(id)?.alsoRedirectsTo ?? [],
  )
}

/**
 * What stands in for a document that cannot be read: what is stored, for large vendors and where only our
 * limits are in the way; else our copy.
 */
async function replaceDocument(
  id: string,
  { known, problem }: { known: Stored<Client> | undefined; problem: FetchProblem },
  context: RequestContext,
): Promise<Stored<Client>> {
  const copy = findPinnedDocument(id)
  const stored = copy !== undefined || problem.problem === 'limit' ? known : undefined
  const instead = stored ? 'the stored one' : copy ? 'a copy' : 'nothing'
  const fields = { client_id: id, ...problem, instead }
  context.log.warn('A client metadata document cannot be read', fields)
  if (stored) return stored
  if (copy === undefined) throw refuse(`The app at ${toDocumentHost(id)} could not be verified`)
  const document = parseDocument(id, copy.text)
  return keepDocument(id, { document, freshSeconds: copyFreshSeconds }, context)
}

/** Stores what was read; whoever was faster with the same is right as well (CM-20). */
function keepDocument(
  id: string,
  kept: KeptDocument,
  context: RequestContext,
): Promise<Stored<Client>> {
  const { store } = context
  return winRace(async () => {
    const known = await clients.find(store, id)
    if (known && isSettled(known.value, context)) return known
    const client = toClient(id, kept, { known: known?.value, now: context.clock.now() })
    const key = clients.key(id)
    const won = await store.commit({
      check: [{ key, version: known?.version ?? null }],
      set: [writeClient(client)],
    })
    if (!won) return undefined
    report(client, known?.value, context)
    return clients.find(store, id)
  })
}

function toClient(
  id: string,
  { document: { metadata, authMethods, keys }, freshSeconds }: KeptDocument,
  { known, now }: { known: Client | undefined; now: number },
): Client {
  return {
    id,
    origin: 'document',
    metadata,
    document: { freshUntil: now + freshSeconds, authMethods, ...(keys && { keys }) },
    pkce: 'required',
    createdAt: known?.createdAt ?? now,
    renewedAt: now,
    ...(known?.authorizedAt !== undefined && { authorizedAt: known.authorizedAt }),
  }
}

/** A new client and every change of one stand in the audit log, with what has changed (CM-19). */
function report(client: Client, before: Client | undefined, context: RequestContext): void {
  const { client_name, redirect_uris } = client.metadata
  const details = { client_name, redirect_uris, mode: 'document' }
  const common = { outcome: 'ok' as const, clientId: client.id }
  if (before === undefined) {
    context.log.info(`Registered client: ${client.id}`)
    context.audit({ event: 'client.registered', ...common, details })
    context.metrics.count('registrations')
    return
  }
  const [then, now] = [toComparable(before), toComparable(client)]
  const changed = [...new Set([...then.keys(), ...now.keys()])].filter(
    (member) => then.get(member) !== now.get(member),
  )
  if (changed.length === 0) return
  context.audit({ event: 'client.updated', ...common, details: { ...details, changed } })
}

function toComparable({ metadata, document }: Client): Map<string, string> {
  const { authMethods, keys } = document ?? {}
  const members = Object.entries({ ...metadata, authMethods, keys })
  return new Map(members.map(([name, value]) => [name, JSON.stringify(value)]))
}

/** The same words whatever happened on the way there: nobody learns what answers where. */
function refuse(description: string, cause?: OAuthError): OAuthError {
  const detail = cause?.description === undefined ? '' : `: ${cause.description}`
  return new OAuthError('invalid_client', `${description}${detail}`, {
    status: 400,
    reason: cause === undefined ? 'document_unreadable' : 'document_invalid',
    cause,
  })
}
