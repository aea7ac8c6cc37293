/** The metadata documents of the clients that have one, as they are published or as their profiles make them. */
import type { FetchDocument } from '../../src/platform/pinned-fetch.ts'
import { findPinnedDocument } from '../../src/profiles/pinned-documents.ts'
import type { ClientProfile } from '../../src/profiles/profile.ts'
import { profiles } from '../../src/profiles/registry.ts'

/** Where a client has its codes sent by its document; undefined where it has none, or nobody has published where. */
export function findDocumentRedirects(profile: ClientProfile): readonly string[] | undefined {
  const [id] = profile.identification.document?.ids ?? []
  if (id === undefined) return undefined
  const copy = findPinnedDocument(id)
  if (copy) return [...toDocument(copy.text).redirect_uris, ...copy.alsoRedirectsTo]
  const { redirects, identification } = profile
  return identification.registration?.redirect_uris ?? redirects.uris
}

/** Reads the documents of which Gatehouse has no copy; of the others it is to use its copies. */
export const fetchDocument: FetchDocument = async (url) => {
  const profile = profiles.find(({ identification }) => identification.document?.ids[0] === url)
  if (profile === undefined || findPinnedDocument(url)) return { problem: 'connection' }
  const text = JSON.stringify({
    client_id: url,
    client_name: profile.name,
    redirect_uris: findDocumentRedirects(profile),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  })
  return { text }
}

function toDocument(text: string): { redirect_uris: readonly string[] } {
  return JSON.parse(text) as { redirect_uris: readonly string[] }
}
