/** Which addresses belong to the public internet: the only ones that a stranger's URL may lead us to. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** The IPv6 addresses that are given out at all (RFC 4291 §2.4); what embeds IPv4 elsewhere falls outside. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** Azure's own services answer there, to the machines in it alone. */
const azurePlatform = '168.63.129.16'

/** Special use, though newer than the tables of the library (RFC 9637). */
const documentation = ipaddr.IPv6.parseCIDR('3fff::/20')

/**
 * Whether an IP address is public: neither special use (RFC 6890) nor an IPv6 form that carries an IPv4
 * address: mapped, translated, 6to4, NAT64, Teredo, ISATAP (catalogue CM-03, CM-04).
 *
 * Judged by its bytes. Whatever is not an address in its plain form is none of ours to guess at.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  if (parsed instanceof ipaddr.IPv4) return parsed.toString() !== azurePlatform
  return parsed.match(globalUnicast) && !parsed.match(documentation) && !isIsatap(parsed)
}

/** `::5efe:a.b.c.d` below any prefix (RFC 5214 §6.1). */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return ((parts[4] ?? 0) & 0xfdff) === 0 && parts[5] === 0x5efe
}
