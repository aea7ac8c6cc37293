/** The grant types that POST /token knows, by their name on the wire. */
import { authorizationCode } from './authorization-code.ts'
import type { GrantType } from './grant-type.ts'
import { refreshToken } from './refresh-token.ts'

/** Every grant type. A new one is a file of its own and one more entry here. */
export const grantTypes: ReadonlyMap<string, GrantType> = new Map(
  [authorizationCode, refreshToken].map((type) => [type.name, type]),
)
