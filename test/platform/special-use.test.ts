import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/platform/special-use.ts'

describe('an address of the public internet', () => {
  it.each(['8.8.8.8', '93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '2a00:1450::1'])(
    'is %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  it.each([
    ['this network', '0.0.0.0', '0.1.2.3'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ['shared', '100.64.0.1', '100.127.255.255'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['link-local', '169.254.169.254', 'fe80::1', 'fe80::1%lo'],
    ['protocol assignments and documentation', '192.0.0.1', '192.0.2.1', '198.51.100.1'],
    ['benchmarking', '198.18.0.1', '2001:2::1'],
    ['multicast, reserved, broadcast', '224.0.0.1', '240.0.0.1', '255.255.255.255', 'ff02::1'],
    ['unspecified', '::'],
    ['for the machines of one cloud alone', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
    ['unique and site local', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
    ['IPv6 documentation', '2001:db8::1', '3fff::1'],
  ])('is none that is %s (CM-03)', (_, ...addresses) => {
    for (const address of addresses) expect(isPublicAddress(address), address).toBe(false)
  })

  it.each([
    ['mapped', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8'],
    ['compatible', '::127.0.0.1', '::8.8.8.8'],
    ['translated', '::ffff:0:127.0.0.1'],
    ['6to4', '2002:7f00:1::', '2002:808:808::1'],
    ['NAT64', '64:ff9b::127.0.0.1', '64:ff9b:1::7f00:1'],
    ['Teredo', '2001:0:53aa:64c:0:fbff:80ff:fffe'],
    ['ISATAP', '2606:2800::5efe:127.0.0.1', '2606:2800::200:5efe:7f00:1'],
  ])('never carries an IPv4 address, as %s ones do (CM-04)', (_, ...addresses) => {
    for (const address of addresses) expect(isPublicAddress(address), address).toBe(false)
  })

  it.each(['0x7f.1', '2130706433', '0177.0.0.1', '127.1', '8.8.8.08', '', 'localhost', '8.8.8.8 '])(
    'is never written as %j (CM-04)',
    (text) => {
      expect(isPublicAddress(text)).toBe(false)
    },
  )

  it('is none of an IPv4 address in any IPv6 dress, for all of them (CM-04)', () => {
    const part = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), ([a, b, c, d]) => {
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
        for (const dress of [`::ffff:${hex}`, `::${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) {
          expect(isPublicAddress(dress), dress).toBe(false)
        }
      }),
    )
  })
})
