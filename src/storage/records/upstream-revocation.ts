/**
 * `upstream-revocation/<user id>/<provider id>/<version of the link>`, with `-late` behind it for what a
 * refresh brought when the link had gone: tokens that the provider is still to be told to revoke.
 *
 * Written in the commit that ends what rested on them, and deleted when the provider has confirmed or we
 * gave up. A process that tries first moves `nextAt` on, by a commit that checks the version it read: so one
 * at a time tries, and another one does when it died. Kept without expiry, so that re-sealing can move it.
 */
import type { Write } from '../store.ts'
import { type Link, links } from './link.ts'
import { defineRecord, type Stored } from './record.ts'

/** Work to be done at a provider. */
export interface UpstreamRevocation {
  /** The tokens exactly as the link held them, sealed for the link's row. */
  readonly sealedTokens: string
  /** Unix seconds. */
  readonly askedAt: number
  /** Unix seconds before which nobody tries. */
  readonly nextAt: number
  /** How often somebody tried. */
  readonly attempts: number
}

export const upstreamRevocations = defineRecord<UpstreamRevocation>('upstream-revocation')

/** What a revocation is about, from its key. */
export function parseRevocationKey(key: string): { userId: string; upstreamId: string } {
  const [, userId = '', upstreamId = ''] = key.split('/')
  return { userId, upstreamId }
}

/** The row that the tokens of a revocation were sealed for: the key of the link they come from. */
export function toRevocationRow(key: string): string {
  const { userId, upstreamId } = parseRevocationKey(key)
  return links.key(userId, upstreamId)
}

/**
 * The write that hands the tokens of a link over to be revoked; none when it holds none. The link itself
 * must go, or lose its tokens, in the same commit, which must check its version.
 *
 * @param mark tells tokens of one version of the link apart: `late` ones came when it had gone. Default: none
 */
export function toRevocationWrites(link: Stored<Link>, at: number, mark?: 'late'): Write[] {
  const { sealedTokens } = link.value
  if (sealedTokens === undefined) return []
  const name = mark === undefined ? `${link.version}` : `${link.version}-${mark}`
  const key = `${upstreamRevocations.prefix}/${link.key.slice(links.key('').length)}/${name}`
  return [upstreamRevocations.write(key, { sealedTokens, askedAt: at, nextAt: at, attempts: 0 })]
}
