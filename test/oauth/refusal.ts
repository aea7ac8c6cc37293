import { OAuthError } from '../../src/errors.ts'

/** The OAuthError that a call throws; anything else fails the test. */
export function refusalOf(call: () => unknown): OAuthError {
  try {
    call()
  } catch (error) {
    if (error instanceof OAuthError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
