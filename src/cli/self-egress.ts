/** Whether the metadata documents of clients can be read from this machine: DNS, and the way out to the internet. */
import type { Config } from '../context.ts'
import type { DocumentFacts } from '../doctor/self/self-facts.ts'
import { isLoopbackHost } from '../platform/host.ts'
import {
  createPinnedFetch,
  type FetchDocument,
  type FetchProblem,
} from '../platform/pinned-fetch.ts'
import { profiles } from '../profiles/registry.ts'

/** So many hosts are asked, so that one that is down says nothing. */
const hostsAsked = 3

/** What keeps a document from being asked for at all, in words; any other problem is an answer. */
const unreached: Partial<Record<FetchProblem['problem'], string>> = {
  name: 'the name has no address in DNS',
  address: 'DNS names an address that is not public',
  connection: 'no connection came about',
  deadline: 'nothing answered in time',
}

/**
 * Asks for documents of well-known clients as the server would, those of its configured hosts.
 *
 * Nothing is asked where documents are off, or the public URL is of this machine: whoever develops there
 * wants no request to leave it.
 */
export async function askDocuments(
  { issuer, clientMetadataDocuments: rule }: Pick<Config, 'issuer' | 'clientMetadataDocuments'>,
  fetchDocument: FetchDocument = createPinnedFetch(),
): Promise<DocumentFacts[]> {
  if (rule === undefined || isLoopbackHost(new URL(issuer).hostname)) return []
  const ids = profiles.flatMap(({ identification }) => identification.document?.ids[0] ?? [])
  const byHost = new Map(ids.map((id) => [new URL(id).host, id]))
  const asked = [...byHost].filter(([host]) => rule.hosts?.includes(host) ?? true)
  return Promise.all(
    asked.slice(0, hostsAsked).map(async ([host, id]) => {
      const outcome = await fetchDocument(id)
      return { host, problem: 'problem' in outcome ? unreached[outcome.problem] : undefined }
    }),
  )
}
