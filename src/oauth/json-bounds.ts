/** Bounds on the shape of JSON from strangers (DS-03, CR-08). Its size is bounded before it is parsed. */
import { OAuthError } from '../errors.ts'

const depthUsual = 32
const membersAllowed = 200

/**
 * Refuses a parsed body that is nested deeper than 32 or has more than 200 members and items in all.
 *
 * Throws `invalid_client_metadata`.
 *
 * @param depthAllowed default 32
 */
export function verifyJsonBounds(body: object, depthAllowed = depthUsual): void {
  let level: object[] = [body]
  let members = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    const values = level.flatMap((item): unknown[] => Object.values(item))
    members += values.length
    if (depth >= depthAllowed || members > membersAllowed) {
      throw new OAuthError(
        'invalid_client_metadata',
        `The registration is nested deeper than ${depthAllowed} or has more than ${membersAllowed} members`,
        { reason: 'metadata_too_complex' },
      )
    }
    level = values.filter((value) => typeof value === 'object' && value !== null)
  }
}
