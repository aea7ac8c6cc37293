/** What the owner says of an identity provider, whichever it is. */
import type { Clock } from '../platform/clock.ts'
import type { AdmissionRules } from './admission.ts'

/** The options that providers of sign-in have in common. */
export interface ProviderOptions {
  /** Part of the callback path: `[a-z0-9-]+`, never changed later. Default: the preset's own. */
  readonly id?: string | undefined
  /** What people call it: `GitHub`. Default: the preset's own. */
  readonly label?: string | undefined
  readonly clientId: string
  readonly clientSecret: string
  /** Asked for besides what signing in needs. */
  readonly scopes?: readonly string[] | undefined
  /** Path of the callback below the issuer. Default: `/callback/<id>`. */
  readonly callbackPath?: string | undefined
  /** Who may enter. Default: everyone the provider vouches for. */
  readonly admission?: AdmissionRules | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
  /** Ends the round trips of one call. Default: after 10 seconds (catalogue UP-13). */
  readonly createDeadline?: (() => AbortSignal) | undefined
}

/** What {@link verifyProviderOptions} looks at. */
export type CheckedOptions = Pick<ProviderOptions, 'clientId' | 'callbackPath'> & {
  readonly id: string
  readonly clientSecret?: string | undefined
}

/**
 * Makes sure that a provider can be told from others and we from other clients.
 *
 * @throws TypeError when the id, a credential or the path is malformed
 */
export function verifyProviderOptions(options: CheckedOptions): void {
  const { id, clientId, clientSecret, callbackPath } = options
  if (!/^[a-z0-9-]+$/.test(id)) {
    throw new TypeError(`Upstream id ${JSON.stringify(id)}: use a-z, 0-9 and hyphens`)
  }
  if (!clientId || clientSecret === '') {
    throw new TypeError(`Upstream ${id}: clientId and clientSecret must not be empty`)
  }
  if (callbackPath !== undefined && !/^(\/[A-Za-z0-9._~-]+)+$/.test(callbackPath)) {
    throw new TypeError(
      `Upstream ${id}: callbackPath ${JSON.stringify(callbackPath)} must look like /callback/${id}`,
    )
  }
}
