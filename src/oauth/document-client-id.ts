/** Client ids that are the address of a Client ID Metadata Document (draft -01 §3). */

/** Longest, in the form in which it stands in the keys of the store: those end at 512 characters. */
const escapedLengthAllowed = 400

/** https, a DNS name of two or more labels, perhaps a port, and a path that is not the root. */
const shape =
  /^https:\/\/(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9-]+(?::\d{1,5})?\/(?!\?)[!-~]+$/

/**
 * Whether a client id is the address of a metadata document.
 *
 * Judged on the text as it came, before anything repairs it (CM-01): only what is already written the way a
 * URL parser writes it counts. So there is one spelling of each, and no upper-case host, default port, dot
 * segment, backslash, fragment or user information; an IP address is no name that a person could judge.
 * A query is allowed, as the draft does.
 */
export function isDocumentClientId(id: string): boolean {
  if (id.length > escapedLengthAllowed || !shape.test(id)) return false
  const url = URL.parse(id)
  if (url?.href !== id || url.username !== '' || url.password !== '') return false
  return !id.includes('#') && encodeURIComponent(id).length <= escapedLengthAllowed
}

/** The host that vouches for such a client, with its port when there is one, in ASCII. */
export function toDocumentHost(id: string): string {
  return new URL(id).host
}
