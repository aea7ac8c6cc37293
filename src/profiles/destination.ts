/** Whose site a code goes to: a fact about an address, where a client's name is only its own claim (CR-11). */
import { profiles } from './registry.ts'

/**
 * The client at whose vendor's site an https redirect URI leads.
 *
 * @param host in ASCII, with a port when there is one
 * @returns the client's name, or undefined when the site is nobody's we know
 */
export function findSiteOwner(host: string): string | undefined {
  return profiles.find(({ redirects, variantOf }) => !variantOf && redirects.hosts.includes(host))
    ?.name
}
