/** Addresses as rate limits see them. */
import ipaddr from 'ipaddr.js'

/** IPv4 as sockets tell it: four decimal numbers without leading zeros, which other spellings have. */
const plainIpv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/**
 * The network a peer address stands for: the IPv4 address itself, the /64 of an IPv6 address.
 *
 * IPv4-mapped forms count as IPv4, so that one host is one key (catalogue EN-03). Anything that is no
 * address is one network of its own.
 */
export function toPeerNetwork(address: string): string {
  if (plainIpv4.test(address)) return address
  if (!ipaddr.isValid(address)) return 'unknown'
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`)
  return `${network.toString()}/64`
}
