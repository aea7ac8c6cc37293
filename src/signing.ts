/** From options to what signs tokens: the algorithm of our own keys and their rotation, or secrets that backends share. */
import { toLifetimes } from './config.ts'
import type { GatehouseOptions } from './options.ts'
import { equalInConstantTime } from './platform/crypto.ts'
import type { SigningAlgorithm } from './storage/records/key.ts'
import type { RotationRules } from './tokens/key-rotation.ts'
import type { TokenAlgorithm } from './tokens/key-signature.ts'
import { type SharedSecrets, shortestSecretBytes } from './tokens/shared-secret.ts'

const defaultRotationSeconds = 30 * 86_400

/** What rotation is configured by. */
type RotationOptions = Pick<
  GatehouseOptions,
  'signingAlgorithm' | 'signingKeyRotationSeconds' | 'lifetimes'
>

/**
 * How signing keys are renewed.
 *
 * @throws TypeError when they would be renewed more often than once an hour
 */
export function createRotationRules(options: RotationOptions): RotationRules {
  const { signingAlgorithm, signingKeyRotationSeconds = defaultRotationSeconds } = options
  if (!Number.isInteger(signingKeyRotationSeconds) || signingKeyRotationSeconds < 3600) {
    throw new TypeError(
      'signingKeyRotationSeconds must be a whole number of seconds, at least 3600',
    )
  }
  return {
    algorithm: toRingAlgorithm(signingAlgorithm),
    rotationSeconds: signingKeyRotationSeconds,
    tokenSeconds: toLifetimes(options).accessTokenSeconds,
  }
}

/** With HS256 our own keys sign no access tokens, but still the assertions to backends (design decision 7). */
function toRingAlgorithm(algorithm: TokenAlgorithm = 'ES256'): SigningAlgorithm {
  return algorithm === 'HS256' ? 'ES256' : algorithm
}

/**
 * The secrets that sign access tokens in place of our own keys; undefined when our keys do.
 *
 * @throws TypeError for a secret that is missing, too short, unused, or one that has another purpose
 */
export function toSharedSecrets(options: GatehouseOptions): SharedSecrets | undefined {
  const { signingAlgorithm, hs256Secret: secret, hs256SecretPrevious: previous } = options
  if (signingAlgorithm !== 'HS256') {
    const idle = secret ? 'hs256Secret' : previous && 'hs256SecretPrevious'
    if (!idle) return undefined
    throw new TypeError(`${idle} is for signingAlgorithm HS256; set that, or leave the secret out`)
  }
  if (options.registration?.mode === 'verify') {
    throw new TypeError(
      'signingAlgorithm HS256 is for tokens of ours, and in verify mode we issue none; leave it out',
    )
  }
  if (!secret) throw new TypeError('signingAlgorithm HS256 needs hs256Secret')
  for (const [name, bytes] of Object.entries({
    hs256Secret: secret,
    hs256SecretPrevious: previous,
  }))
    if (bytes) verifySecret(name, bytes, options)
  return { secret, previous }
}

/** Backends have the secret: whatever else it opened, they would open. */
function verifySecret(name: string, secret: Uint8Array, options: GatehouseOptions): void {
  if (secret.length < shortestSecretBytes) {
    throw new TypeError(
      `${name} has ${secret.length} bytes, and HS256 needs ${shortestSecretBytes} at least (RFC 7518 §3.2)`,
    )
  }
  const { masterKey, previousMasterKey = masterKey } = options
  const isOpening = (key: Uint8Array) => equalInConstantTime(toText(secret), toText(key))
  if (![masterKey, previousMasterKey].some(isOpening)) return
  throw new TypeError(`${name} is the master key, which nobody else may have; choose another`)
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
