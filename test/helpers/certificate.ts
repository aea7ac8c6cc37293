/** A self-signed certificate, made on the spot: nothing to install, nothing to expire in the checkout. */
import { generateKeyPairSync, sign } from 'node:crypto'

/** Key and certificate as a TLS server takes them. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** What stands in a certificate. Times are of RFC 5280 §4.1.2.5.1: `200101000000Z`. */
export interface CertificateOptions {
  /** Default `localhost`. */
  readonly host?: string
  /** Default 2020. */
  readonly from?: string
  /** Default the end of 2049. */
  readonly to?: string
}

/** Makes a certificate that no browser trusts by itself (RFC 5280 §4.1, version 1). */
export function createCertificate({
  host = 'localhost',
  from = '200101000000Z',
  to = '491231235959Z',
}: CertificateOptions = {}): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(tagged(0x31, sequence(objectId('550403'), tagged(0x0c, host))))
  const validity = sequence(tagged(0x17, from), tagged(0x17, to))
  const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'))
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' })
  const body = sequence(
    tagged(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    name,
    validity,
    name,
    subjectKey,
  )
  const signature = tagged(0x03, Buffer.of(0), sign('sha256', body, privateKey))
  const lines =
    sequence(body, ecdsaWithSha256, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  }
}

/** DER: tag, length (in as few bytes as it needs), content. */
function tagged(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const { length } = content
  const bytes = length < 256 ? [length] : [length >> 8, length & 0xff]
  const size = length < 128 ? bytes : [0x80 + bytes.length, ...bytes]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, ...parts)
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'))
}
